"""What commerce ends an order with, its buyer can read."""

from __future__ import annotations

import pytest

from commerce.domain.account import AccountEndedError
from commerce.domain.order import CancelReason
from commerce.domain.shop import ShopClosedError
from commerce.domain.stock import HoldExpiredError, SoldOutError
from commerce.domain.texts import LANGUAGES
from commerce.entrypoints.schemas.reasons import cancelled_because
from contracts import cancel_reasons
from contracts.reasons import published_reasons, reason_text

OWN = (SoldOutError.code, HoldExpiredError.code, ShopClosedError.code, AccountEndedError.code, CancelReason.PART_FAILED)


def test_what_people_meet_has_a_sentence_of_its_own() -> None:
    assert (
        len({reason_text(code, "en", of="commerce") for code in (*OWN, "commerce.order.already_paid")}) == len(OWN) + 1
    )


def test_the_buyer_is_called_the_same() -> None:
    assert CancelReason.BUYER == cancel_reasons.BUYER


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code", [*published_reasons()["commerce"], *published_reasons()["payment"], "something.else", ""]
)
def test_the_sentence_is_the_shared_one_and_says_that_there_is_nothing_to_pay(code: str, language: str) -> None:
    said = cancelled_because(code, language)
    if not code:
        assert said is None
        return
    assert said == cancel_reasons.cancelled_because(code, language)
    assert said.endswith(f" {cancel_reasons.NOTHING_TO_PAY[language]}")
    assert len(said) > len(cancel_reasons.NOTHING_TO_PAY[language]) + 5
