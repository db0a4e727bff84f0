"""Text that is safe to store and show: no NUL, no control, bidirectional or invisible characters.

Invariant: text that passed here cannot reorder, hide or break what stands next to it. A zero-width joiner is let
through only inside an emoji, where people mean it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from kernel.text import shows_something

# C0 without tab, line feed and carriage return, DEL, C1; soft hyphen, Arabic letter mark, Mongolian separator;
# zero-width and bidi marks; line and paragraph separators; bidi embeddings and isolates; invisible operators; BOM;
# interlinear marks; noncharacters; surrogates; tags.
_FORBIDDEN: Final = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f"
)
_EMOJI: Final = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_forbidden = re.compile(f"[{_FORBIDDEN}]")
_joiner_in_emoji = re.compile(f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])")
_line_break = re.compile(r"[\n\r\t]")

ERROR_TYPE: Final = "text_characters"


def refused_character(text: str) -> str | None:
    """``U+XXXX`` of the first character that is not let through, or None."""
    if text.isprintable() and text.isascii():
        return None
    found = _forbidden.search(text)
    if found is None:
        return None
    if "\u200d" in text:
        found = _forbidden.search(_joiner_in_emoji.sub("", text))
        if found is None:
            return None
    return f"U+{ord(found.group()):04X}"


def suspicious(text: str) -> bool:
    """Whether the text holds any of the characters at all; a joiner in an emoji too."""
    return _forbidden.search(text) is not None


def refused_in(value: Any, path: tuple[str | int, ...] = ()) -> tuple[tuple[str | int, ...], str] | None:
    """Path and character of the first text in a JSON value that is not let through, keys included."""
    if isinstance(value, str):
        character = refused_character(value)
        return (path, character) if character else None
    if isinstance(value, dict):
        for key, item in value.items():
            found = refused_in(item, (*path, key)) if not refused_character(key) else (path, "a field name")
            if found:
                return found
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found = refused_in(item, (*path, index))
            if found:
                return found
    return None


def _check_text(value: str) -> str:
    character = refused_character(value)
    if character:
        raise PydanticCustomError(ERROR_TYPE, "the character {character} is not allowed here", {"character": character})
    return value


def _check_line(value: str) -> str:
    if _line_break.search(value):
        raise PydanticCustomError(ERROR_TYPE, "a line break or tab is not allowed here")
    return _check_text(value)


def _check_name(value: str) -> str:
    if value and not shows_something(value):
        raise PydanticCustomError(ERROR_TYPE, "nothing of it can be seen")
    return value


Text = Annotated[str, AfterValidator(_check_text)]
"""Text of any number of lines."""
Line = Annotated[str, AfterValidator(_check_line)]
"""Text of one line: titles, references."""
Name = Annotated[Line, AfterValidator(_check_name)]
"""A line by which people tell somebody or something apart: if there is anything, it shows."""
