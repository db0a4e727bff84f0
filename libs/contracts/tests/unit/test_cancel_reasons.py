"""Every reason reads in every language, and a code without a text of its own reads as its nearest part does."""

from __future__ import annotations

import pytest

from contracts.cancel_reasons import BUYER, TEXTS, known_part, reason_text

LANGUAGES = ("en", "th", "id", "ms", "vi")


@pytest.mark.parametrize("code", TEXTS)
def test_every_reason_has_a_sentence_in_every_language(code: str) -> None:
    assert set(TEXTS[code]) == set(LANGUAGES)
    assert all(text and text == text.strip() for text in TEXTS[code].values())


def test_no_two_reasons_say_the_same() -> None:
    for language in LANGUAGES:
        sentences = [texts[language] for texts in TEXTS.values()]
        assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(
    ("code", "part"),
    [
        (BUYER, BUYER),
        ("payment.limit.daily", "payment.limit"),
        ("payment.wallet.something_new", "payment"),
        ("orchestrator.saga.deadline_passed", "orchestrator"),
        ("something.new", ""),
        ("", ""),
        ("..", ""),
    ],
)
def test_the_nearest_part_speaks(code: str, part: str) -> None:
    assert known_part(code) == part
    assert reason_text(code, "th") == TEXTS[part]["th"]
    assert reason_text(code, "de") == TEXTS[part]["en"]
