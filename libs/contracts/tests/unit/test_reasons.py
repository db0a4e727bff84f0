"""What services keep beside their codes is what contracts publishes, whole and in five languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts import commands
from contracts.folders import checkout
from contracts.reason_files import ReasonsFileError, gathered_reasons, made_file, read_reasons
from contracts.reasons import LANGUAGES, published_reasons, reason_text

BLOCK = '[[reason]]\ncodes = ["{}"]\n' + "".join(f'{language} = "in {language}"\n' for language in LANGUAGES)


def written(folder: Path, text: str) -> Path:
    path = folder / "reasons.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_published_is_what_the_services_keep() -> None:
    assert published_reasons() == gathered_reasons(checkout())
    assert commands.main(["reasons", "--check"]) == commands.WELL


def test_a_sentence_that_was_changed_and_not_published_is_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "reasons.json"
    changed.write_text(made_file().read_text(encoding="utf-8").replace("You signed out.", "Gone."), encoding="utf-8")
    monkeypatch.setattr(commands.reason_files, "made_file", lambda: changed)
    assert commands.main(["reasons", "--check"]) == commands.DIFFERS
    assert commands.main(["reasons"]) == commands.WELL
    assert commands.main(["reasons", "--check"]) == commands.WELL


@pytest.mark.parametrize("service", published_reasons())
def test_every_sentence_is_there_in_every_language_and_says_something_of_its_own(service: str) -> None:
    sentences = published_reasons()[service].values()
    assert all(tuple(texts) == LANGUAGES for texts in sentences)
    of_english: dict[str, dict[str, str]] = {}
    for texts in sentences:
        assert of_english.setdefault(texts["en"], dict(texts)) == texts, "one English sentence, one translation"
    for language in LANGUAGES:
        assert len({texts[language] for texts in of_english.values()}) == len(of_english), language


def test_no_code_with_a_dot_is_given_by_two_services() -> None:
    dotted = [code for codes in published_reasons().values() for code in codes if "." in code]
    assert len(set(dotted)) == len(dotted)


def test_a_record_carries_codes_of_its_own_service_and_of_others() -> None:
    assert reason_text("expired", "en", of="payment") == "The time for it ran out."
    assert reason_text("expired", "en", of="commerce") == "The items were held for too long and went back on sale."
    assert reason_text("payment.limit.daily", "vi", of="commerce") == "Khoản thanh toán vượt hạn mức ví của bạn."
    assert (
        reason_text("payment.limit.daily", "de", of="commerce") == "The payment would go over a limit of your wallet."
    )
    assert reason_text("payment.limit.hourly", "en", of="commerce") is None
    assert reason_text("buyer", "en", of="payment") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[reason", "reasons.toml"),
        ('title = "x"\n' + BLOCK.format("a.b"), "nothing else"),
        ('reason = "x"\n', "nothing else"),
        (BLOCK.format("a.b").replace('th = "in th"\n', ""), "a sentence in en, th"),
        (BLOCK.format("a.b") + 'fr = "in fr"\n', "a sentence in en, th"),
        (BLOCK.format("a.b").replace("in vi", " "), "is empty"),
        (BLOCK.format("a.b").replace("in vi", "in vi "), "spaces around"),
        (BLOCK.replace('"{}"', ""), "has codes"),
        (BLOCK.format("a.b") + BLOCK.format('c.d", "a.b'), "a.b stands there twice"),
    ],
)
def test_a_file_that_lacks_something_says_what(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ReasonsFileError, match=words):
        read_reasons(written(tmp_path, text))


def test_one_sentence_may_be_that_of_several_codes(tmp_path: Path) -> None:
    sentences = {language: f"in {language}" for language in LANGUAGES}
    assert read_reasons(written(tmp_path, BLOCK.format('c.d", "a.b'))) == {"a.b": sentences, "c.d": sentences}
