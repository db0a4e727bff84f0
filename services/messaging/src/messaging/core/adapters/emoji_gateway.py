"""Which texts are one emoji, and how each is written in the end.

Devices write one emoji with and without the marks that ask for its colour or its outline. Invariant: however it was
written, it is kept in its one full spelling, so that it is one reaction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

import emoji

from messaging.core.domain.reactions import EMOTIONS, NotAnEmojiError

_PRESENTATION: Final = re.compile("[\ufe0e\ufe0f]")
_LENGTH_MAX: Final = 64


def emoji_of(text: str) -> str:
    """The emoji, fully qualified; a name of an emotion stands for its emoji. Raises ``NotAnEmojiError``."""
    named = EMOTIONS.get(text)
    if named is not None:
        return named
    written = _spellings().get(_bare(text)) if len(text) <= _LENGTH_MAX else None
    if written is None:
        raise NotAnEmojiError
    return written


def other_spellings() -> Mapping[str, str]:
    """What emoji are written as otherwise → the full spelling."""
    full = _spellings()
    return {each: full[_bare(each)] for each in emoji.EMOJI_DATA if each != full[_bare(each)]}


@cache
def _spellings() -> Mapping[str, str]:
    """Without presentation marks → the full spelling. Parts of emoji that stand alone are written as they are."""
    known = sorted(emoji.EMOJI_DATA.items(), key=lambda each: each[1]["status"] == emoji.STATUS["fully_qualified"])
    return {_bare(written): written for written, _ in known}


def _bare(text: str) -> str:
    return _PRESENTATION.sub("", text)
