"""python -m new_service NAME: write a new service's files, ready to run; `make service NAME=…` registers them too."""

from __future__ import annotations

import argparse
import sys

from new_service.names import ServiceNameError, checked_names
from new_service.writing import write_service
from stack.layout import CHECKOUT


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="new_service", description="A new service, by the house plan.")
    parser.add_argument("name", help="one lower-case word, such as reviews")
    try:
        names = checked_names(parser.parse_args(words).name, CHECKOUT)
    except ServiceNameError as error:
        print(f"new_service: {error}", file=sys.stderr)
        return 2
    for path in write_service(names, CHECKOUT):
        print(f"  {path}")
    print(f"services/{names.name} listens on {names.http_port}, for operators on {names.ops_port}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
