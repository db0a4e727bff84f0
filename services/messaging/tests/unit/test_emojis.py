"""One emoji is one reaction, however a device writes it."""

import emoji
import pytest

from chassis.http.text import cleaned, refused_character
from messaging.core.adapters.emoji_gateway import emoji_of, other_spellings
from messaging.core.domain.reactions import EMOTIONS, NotAnEmojiError

COLOUR, OUTLINE = "\ufe0f", "\ufe0e"


def test_every_emoji_in_every_spelling_is_one_and_passes_as_text():
    for written, known in emoji.EMOJI_DATA.items():
        full = emoji_of(written)
        assert emoji.EMOJI_DATA[full]["status"] in {emoji.STATUS["fully_qualified"], emoji.STATUS["component"]}
        if known["status"] == emoji.STATUS["fully_qualified"]:
            assert full == written
        assert emoji_of(written.replace(COLOUR, "")) == emoji_of(written + COLOUR) == full
        assert emoji_of(written.replace(COLOUR, "") + OUTLINE) == full
        assert refused_character(full) is None
        assert cleaned(full) == full


def test_different_emoji_stay_different():
    full = {written for written, each in emoji.EMOJI_DATA.items() if each["status"] == emoji.STATUS["fully_qualified"]}
    assert len({emoji_of(each) for each in full}) == len(full)


def test_other_spellings_are_all_but_the_full_ones():
    assert all(emoji_of(kept) == written != kept for kept, written in other_spellings().items())
    assert not set(other_spellings()) & set(other_spellings().values())


def test_names_of_emotions_are_their_emoji():
    assert [emoji_of(name) for name in EMOTIONS] == [emoji_of(each) for each in EMOTIONS.values()]


@pytest.mark.parametrize("text", ["", "a", "1", "👍👍", "👍a", COLOUR, "\u200d", "👍" + COLOUR * 100])
def test_what_is_not_one_emoji(text):
    with pytest.raises(NotAnEmojiError):
        emoji_of(text)
