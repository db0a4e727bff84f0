"""A cancelled order says why, and that it costs nothing; a code that nobody published reads neutrally and is logged."""

from __future__ import annotations

import logging

import pytest

from contracts.cancel_reasons import BUYER, NOT_COMPLETED, NOTHING_TO_PAY, cancelled_because
from contracts.reasons import LANGUAGES, published_reasons, reason_text


def test_what_is_always_said_is_there_in_every_language() -> None:
    for texts in (NOT_COMPLETED, NOTHING_TO_PAY):
        assert set(texts) == set(LANGUAGES)
        assert all(text == text.strip() != "" for text in texts.values())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "code", [BUYER, "commerce.stock.sold_out", "payment.limit.daily", "orchestrator.saga.deadline_passed"]
)
def test_the_published_sentence_comes_first_and_then_that_there_is_nothing_to_pay(code: str, language: str) -> None:
    assert (
        cancelled_because(code, language) == f"{reason_text(code, language, of='commerce')} {NOTHING_TO_PAY[language]}"
    )


@pytest.mark.parametrize("code", ["something.new", "payment.wallet.something_new", "..", "", "nobody.published.1"])
def test_an_unknown_code_reads_neutrally_and_is_logged_once(code: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "contracts.cancel_reasons"):
        for language in (*LANGUAGES, "vi"):
            assert cancelled_because(code, language) == f"{NOT_COMPLETED[language]} {NOTHING_TO_PAY[language]}"
    assert [record.getMessage() for record in caplog.records] == [f"cancel_reason_unknown code={code}"]


def test_a_known_code_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    for codes in published_reasons().values():
        for code in codes:
            if "." in code:
                cancelled_because(code, "en")
    assert caplog.records == []


def test_an_unknown_language_reads_english() -> None:
    assert cancelled_because(BUYER, "de") == cancelled_because(BUYER, "en")
    assert cancelled_because("nobody.published.2", "de") == f"{NOT_COMPLETED['en']} {NOTHING_TO_PAY['en']}"
