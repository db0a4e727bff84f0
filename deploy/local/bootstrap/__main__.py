"""python3 -m bootstrap sync | browser | validators | lock [--upgrade]"""

import sys

OLDEST_PYTHON = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        print("bootstrap: python3 here is older than 3.11; put a newer one first in PATH.", file=sys.stderr)
        return 1
    from bootstrap.commands import run  # noqa: PLC0415 -- an older Python cannot read it

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
