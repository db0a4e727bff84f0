"""What commerce ends an order with, its buyer can read."""

from __future__ import annotations

import pytest

from commerce.domain.account import AccountEndedError
from commerce.domain.order import BUYER_CANCELLED, PART_FAILED
from commerce.domain.shop import ShopClosedError
from commerce.domain.stock import HoldExpiredError, SoldOutError
from commerce.domain.texts import LANGUAGES
from commerce.entrypoints.schemas.reasons import cancelled_because
from contracts import cancel_reasons
from contracts.cancel_reasons import BUYER, TEXTS, known_part, reason_text

OWN = (SoldOutError, HoldExpiredError, ShopClosedError, AccountEndedError)


@pytest.mark.parametrize("error", OWN)
def test_what_people_meet_has_a_sentence_of_its_own(error: type[SoldOutError]) -> None:
    assert known_part(error.code) == error.code


def test_that_another_order_failed_has_one_too() -> None:
    assert known_part(PART_FAILED) == PART_FAILED


def test_the_buyer_is_called_the_same() -> None:
    assert BUYER_CANCELLED == BUYER


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [*TEXTS, "payment.limit.daily", "something.else"])
def test_the_sentence_is_the_shared_one_and_says_that_no_money_was_taken(code: str, language: str) -> None:
    said = cancelled_because(code, language)
    if not code:
        assert said is None
        return
    sentence, no_money_taken = reason_text(code, language), cancelled_because("payment", language)
    assert said == cancel_reasons.cancelled_because(code, language)
    assert said.removeprefix(sentence) == (no_money_taken or "").removeprefix(reason_text("payment", language))
    assert len(said) > len(sentence) + 5
