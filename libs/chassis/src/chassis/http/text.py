"""Text that is safe to store and show: refused where it could turn or break what stands next to it, and cleaned.

Refused: NUL and controls, bidirectional embeddings, overrides and isolates, noncharacters, surrogates. Scripts need
characters that do not show (word breaks in Thai, joiners in Persian and Hindi, direction marks in Arabic, the tags of
flags): they stay. What does not show and says nothing, as pasted text brings it along, is left out.

Invariant: text that passed here cannot reorder, hide or break what stands next to it; cleaning it twice changes
nothing.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from kernel.text import shows_something

# C0 without tab, line feed and carriage return, DEL, C1; bidi embeddings, overrides and isolates; deprecated format
# characters; interlinear marks; noncharacters; surrogates.
_FORBIDDEN: Final = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2065-\u206f\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff"
)
# A flag that tags make: a black flag, the region's letters and digits, the end.
_FLAG: Final = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
# Soft hyphen, word joiner, invisible operators, byte order mark, and tags that make no flag: nothing is lost with them.
_SAYS_NOTHING: Final = "\u00ad\u2060-\u2064\ufeff\U000e0000-\U000e007f"
# Arabic letter mark, Mongolian separator, zero-width space, joiners, direction marks: for scripts other than Latin.
_MARKS: Final = "\u061c\u180e\u200b-\u200f"
_forbidden = re.compile(f"[{_FORBIDDEN}]")
_says_nothing = re.compile(f"({_FLAG})|[{_SAYS_NOTHING}]")
_marks = re.compile(f"[{_MARKS}]")
_mark_again = re.compile(f"([{_MARKS}])\\1+")
_line_break = re.compile(r"[\n\r\t]")
_line_separator = re.compile("[\u2028\u2029]")

ERROR_TYPE: Final = "text_characters"


def refused_character(text: str) -> str | None:
    """``U+XXXX`` of the first character that is not let through, or None."""
    if text.isprintable() and text.isascii():
        return None
    found = _forbidden.search(text)
    return None if found is None else f"U+{ord(found.group()):04X}"


def suspicious(text: str) -> bool:
    """Whether the text holds a character that is not let through."""
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


def cleaned(text: str, *, line_break: str = "\n") -> str:
    """The text without what does not show and says nothing; ``line_break`` is what a line separator becomes."""
    if text.isascii():
        return text
    text = _says_nothing.sub(r"\1", _line_separator.sub(line_break, text))
    bare = _marks.sub("", text)
    return bare if bare.isascii() else _mark_again.sub(r"\1", text)


def _check_text(value: str) -> str:
    _require_safe(value)
    return cleaned(value)


def _check_line(value: str) -> str:
    if _line_break.search(value):
        raise PydanticCustomError(ERROR_TYPE, "a line break or tab is not allowed here")
    _require_safe(value)
    return cleaned(value, line_break=" ")


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
