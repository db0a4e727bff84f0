"""A message is found however its words were typed: marks in another order, with and without what does not show."""

import pytest

from messaging.search.domain.question import FieldText, Question, Tier
from messaging.search.domain.terms import terms_of
from words.folding import spelled

ALIKE = {
    "a ring, a tone and AA for AM": ("น้ำแข็ง", "น\u0e4d\u0e49าแข็ง"),
    "a tone, a ring and AA for AM": ("น้ำแข็ง", "น\u0e49\u0e4dาแข็ง"),
    "two letters E for AE": ("แกงเขียวหวาน", "เเกงเขียวหวาน"),
    "a tone before a vowel above": ("กิ่งไม้", "ก\u0e48\u0e34งไม้"),
    "a tone before a vowel below": ("ผู้หญิง", "ผ\u0e49\u0e39หญิง"),
    "a tone twice": ("บ้านสวน", "บ\u0e49\u0e49านสวน"),
    "Thai word breaks": ("สวัสดีครับ", "สวัสดี\u200bครับ"),
    "a Thai break within a word": ("สวัสดีครับ", "สวัส\u200bดีครับ"),
    "Persian": ("میخواهم بروم", "می\u200cخواهم بروم"),
    "Hindi": ("क्षेत्र", "क्\u200dषेत्र"),
    "Arabic with a direction mark": ("مرحبا بكم", "\u200fمرحبا بكم"),
}


def places(text, asked, tier=Tier.EXACT):
    return Question.parse(asked).match(tier, [FieldText.of("text", text)])


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("tier", Tier)
def test_what_looks_the_same_is_the_same(one, other, tier):
    for text, asked in ((one, other), (other, one), (other, other)):
        found = places(f"x {text} y", asked, tier)
        assert found, (text, asked)
        assert (found[0].start, found[-1].end) == (len("x ") + text.startswith("\u200f"), len("x ") + len(text))
    assert terms_of({"text": one}, None, "text") == terms_of({"text": other}, None, "text")


def test_part_of_a_word_is_found_where_it_stands_in_the_text_as_it_was_typed():
    text = "ดู ก\u0e48\u0e34งไ\u200bม้ไทย"
    [found] = places(text, "กิ่งไม้", Tier.SIMILAR)
    assert text[found.start : found.end] == "ก\u0e48\u0e34งไ\u200bม้"


def test_other_words_stay_others():
    assert places("น้ำ", "นำ") is None
    assert places("กิ่ง", "กึ่ง") is None


def test_an_emoji_held_together_by_a_joiner_is_one_word():
    technologist = "👩\u200d💻"
    assert spelled(technologist) == (technologist, None)
    assert places(f"hello {technologist}", technologist)


@pytest.mark.parametrize("text", ["!!!", "%", "--", "\u200b", "…"])
def test_what_has_no_word_asks_nothing(text):
    assert Question.parse(text).empty
