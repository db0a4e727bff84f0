"""Which texts are one emoji, and how each is written in the end."""

from __future__ import annotations

from typing import Final

import emoji

from messaging.domain.reactions import EMOTIONS, NotAnEmojiError

_VARIATION: Final = "\ufe0f"


def emoji_of(text: str) -> str:
    """The emoji, fully qualified; a name of an emotion stands for its emoji. Raises ``NotAnEmojiError``."""
    named = EMOTIONS.get(text)
    if named is not None:
        return named
    for written in (text, text + _VARIATION):
        known = emoji.EMOJI_DATA.get(written)
        if known is not None and known["status"] == emoji.STATUS["fully_qualified"]:
            return written
    if emoji.is_emoji(text):
        return text
    raise NotAnEmojiError
