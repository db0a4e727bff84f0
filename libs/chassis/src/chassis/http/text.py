"""Text that is safe to store and show: refused where it could turn or break what stands next to it, and cleaned.

Refused: NUL and controls, bidirectional overrides, embeddings and isolates that are not closed in their paragraph,
noncharacters, surrogates. Scripts need characters that do not show (word breaks in Thai, joiners in Persian and Hindi,
direction marks in Arabic, the tags of flags): they stay, and so do embeddings and isolates where there may be several
lines. What does not show and says nothing, as pasted text brings it along, is left out; every way to break a line (VT,
FF, NEL, U+2028, U+2029) becomes one.

Invariant: text that passed here cannot reorder, hide or break what stands next to it; cleaning it twice changes
nothing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from kernel.text import shows_something

# C0 without tab and the line's ends, DEL, C1 without NEL; bidi overrides; deprecated format characters; interlinear
# marks; noncharacters; surrogates.
_FORBIDDEN: Final = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202d\u202e"
    "\u2065\u206a-\u206f\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"
)
# Bidi embeddings and isolates by what closes them: U+202C or U+2069.
_CLOSED_BY: Final = {"\u202a": "\u202c", "\u202b": "\u202c", "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
_PAIRED: Final = "\u202a-\u202c\u2066-\u2069"
# A flag that tags make: a black flag, the region's letters and digits, the end.
_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
# Soft hyphen, word joiner, invisible operators, byte order mark, and tags that make no flag: nothing is lost with them.
_SAYS_NOTHING: Final = "\u00ad\u2060-\u2064\ufeff\U000e0000-\U000e007f"
# Arabic letter mark, Mongolian separator, zero-width space, joiners, direction marks: for scripts other than Latin.
_MARKS: Final = "\u061c\u180e\u200b-\u200f"
_forbidden = re.compile(f"[{_FORBIDDEN}]")
_paired = re.compile(f"[{_PAIRED}]")
_suspicious = re.compile(f"[{_FORBIDDEN}{_PAIRED}]")
_says_nothing = re.compile(f"({_FLAG})|[{_SAYS_NOTHING}]")
_marks = re.compile(f"[{_MARKS}]")
_mark_again = re.compile(f"([{_MARKS}])\\1+")
_line_break = re.compile(r"[\n\r\t]")
_line_separator = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_paragraph_end = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")

ERROR_TYPE: Final = "text_characters"


def refused_character(text: str) -> str | None:
    """``U+XXXX`` of the first character that is not let through, or None."""
    if text.isprintable() and text.isascii():
        return None
    if not suspicious(text):
        return None
    found = _forbidden.search(text)
    character = found.group() if found else next(filter(None, map(_unpaired, _paragraph_end.split(text))), None)
    return None if character is None else f"U+{ord(character):04X}"


def suspicious(text: str) -> bool:
    """Whether the text may hold a character that is not let through: ``refused_character`` says so for certain."""
    return _suspicious.search(text) is not None


def _unpaired(paragraph: str) -> str | None:
    """The first bidi embedding or isolate that is not closed, or close of none; None where all are in pairs."""
    expected: list[tuple[str, str]] = []
    for each in _paired.findall(paragraph):
        if each in _CLOSED_BY:
            expected.append((_CLOSED_BY[each], each))
        elif not expected or expected.pop()[0] != each:
            return str(each)
    return expected[0][1] if expected else None


def refused_in(value: Any, path: tuple[str | int, ...] = ()) -> tuple[tuple[str | int, ...], str] | None:
    """Path and character of the first text in a JSON value that is not let through, keys included."""
    if isinstance(value, str):
        character = refused_character(value)
        return (path, character) if character else None
    if isinstance(value, dict):
        for key, item in value.items():
            found = refused_in(item, (*path, key)) if not suspicious(key) else (path, "a field name")
            if found:
                return found
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found = refused_in(item, (*path, index))
            if found:
                return found
    return None


def cleaned(text: str, *, line_break: str = "\n") -> str:
    """The text without what does not show and says nothing; ``line_break`` is what a line separator becomes."""
    text = _line_separator.sub(line_break, text)
    if text.isascii():
        return text
    text = _says_nothing.sub(r"\1", text)
    bare = _marks.sub("", text)
    return bare if bare.isascii() else _mark_again.sub(r"\1", text)


def _check_text(value: str) -> str:
    _require_safe(value)
    return cleaned(value)


def _check_line(value: str) -> str:
    if _line_break.search(value):
        raise PydanticCustomError(ERROR_TYPE, "a line break or tab is not allowed here")
    _require_safe(value)
    return cleaned(_paired.sub("", value), line_break=" ")


def _check_name(value: str) -> str:
    return _shown(value, _check_line(value))


def _check_readable(value: str) -> str:
    return _shown(value, _check_text(value))


def _shown(given: str, kept: str) -> str:
    """Nothing may be given where that is allowed, but not in the look of something."""
    if given and not shows_something(kept):
        raise PydanticCustomError(ERROR_TYPE, "nothing of it can be seen")
    return kept


def _require_safe(value: str) -> None:
    character = refused_character(value)
    if character:
        raise PydanticCustomError(ERROR_TYPE, "the character {character} is not allowed here", {"character": character})


Text = Annotated[str, AfterValidator(_check_text)]
"""Text of any number of lines."""
ReadableText = Annotated[str, AfterValidator(_check_readable)]
"""Text of any number of lines that tells somebody something: reasons, descriptions. If there is anything, it shows."""
Line = Annotated[str, AfterValidator(_check_line)]
"""Text of one line for programs: addresses, codes, what is searched for."""
Name = Annotated[str, AfterValidator(_check_name)]
"""A line that people read and tell things apart by: names, titles, choices. If there is anything, it shows."""
