"""python -m made [--check]: write every made part anew, or only say which differ; exit code 1 when one does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from made.catalogue import parts_by_file
from made.parts import PartsError, replaced
from registry import RegistryError, load_services
from stack.layout import CHECKOUT


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="made", description="Files made from services/<name>/service.toml.")
    parser.add_argument("--check", action="store_true", help="change nothing; say which files have drifted")
    check = parser.parse_args(words).check
    try:
        drifted = _written(CHECKOUT, check=check)
    except (RegistryError, PartsError) as error:
        print(f"made: {error}", file=sys.stderr)
        return 1
    for path in drifted:
        print(f"{path} {'is not what the registry makes of it; run make registry' if check else 'written'}")
    return 1 if check and drifted else 0


def _written(checkout: Path, *, check: bool) -> list[str]:
    """Files whose made parts differed; written unless ``check``."""
    drifted = []
    for name, parts in parts_by_file(load_services(checkout)).items():
        path = checkout / name
        before = path.read_text(encoding="utf-8")
        after = replaced(before, parts, name=name)
        if after != before:
            drifted.append(name)
            if not check:
                path.write_text(after, encoding="utf-8")
    return drifted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
