"""What buyers write to a shop with their order shows, if there is anything."""

import pytest
from pydantic import ValidationError

from commerce.entrypoints.schemas.orders import PlaceOrderBody


@pytest.mark.parametrize("blank", ["  ", "\u3164", "\u2800", "\u200d\u200d"])
def test_a_note_that_cannot_be_seen_is_refused(blank: str) -> None:
    with pytest.raises(ValidationError, match="nothing of it can be seen"):
        PlaceOrderBody(note=blank)


@pytest.mark.parametrize("note", ["", "by the\nback door"])
def test_none_and_one_that_shows_are_taken(note: str) -> None:
    assert PlaceOrderBody(note=note).note == note
