"""What commands print: tables, documents and sentences on standard output, complaints on standard error."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from chassis.http import ReadableText

DONE: Final = 0
FAILED: Final = 1
_CELL_CHARS_MAX: Final = 60
_readable: Final = TypeAdapter[str](ReadableText)


def print_line(line: str) -> None:
    sys.stdout.write(line + "\n")


def fail(line: str) -> int:
    """Exit code of a command that could not do what it was told."""
    sys.stderr.write(line + "\n")
    return FAILED


def print_document(document: Any) -> None:
    print_line(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def print_table(names: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Columns as wide as their widest cell, cells cut at 60 characters."""
    if not rows:
        print_line(empty)
        return
    cells = [[name.upper() for name in names], *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        print_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def reason_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", type=reason_text, default="", metavar="WHY", help="kept with the act")


def reason_text(given: str) -> str:
    """An argument that says why, as the API takes it: it may be left out, and never only look like something."""
    try:
        return _readable.validate_python(given)
    except ValidationError as error:
        raise argparse.ArgumentTypeError(error.errors()[0]["msg"]) from None


def moment(text: str) -> datetime:
    """ISO 8601; UTC unless it says otherwise."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _cell(value: object) -> str:
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _CELL_CHARS_MAX else text[: _CELL_CHARS_MAX - 1] + "…"
