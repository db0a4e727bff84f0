"""One spelling, words with their places, forms of words, and the terms that services store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from words.folding import folded, plain, spelled, toneless
from words.roots import ROOT_MIN, candidates
from words.segments import WORDS_MAX, runs_of
from words.terms import PIECED_MAX, PIECED_MIN, edged, is_pieced, pieces, run_terms


def terms(text):
    return set().union(*map(run_terms, runs_of(text)))


def words(text):
    return [(word.folded, text[word.start : word.end]) for run in runs_of(text) for word in run.words]


@pytest.mark.parametrize(
    ("typed", "one"),
    [
        ("Áo DÀI Đường", "ao dai duong"),
        ("ＡＢＣ", "abc"),
        ("don't don’t", "dont dont"),
        ("heyyyyy", "hey"),
        ("๒๕๖๗ ٣", "2567 3"),
        ("น้ำ", "น้ำ"),
        ("Æther œuvre", "aether oeuvre"),
    ],
)
def test_one_spelling(typed, one):
    assert folded(typed) == one


def test_plain_keeps_accents():
    assert plain("Áo DÀI") == "áo dài"


@given(st.text(alphabet=st.sampled_from("aÁđàǼ’'0๒กน้ำเแ็่ \u200b😀ßıİ"), max_size=12))
def test_what_is_spelled_as_it_should_be_stays_and_its_places_lead_back(text):
    right, places = spelled(text)
    assert spelled(right) == (right, None)
    assert places is None or (len(places), places) == (len(right) + 1, sorted(places))


def test_places_lead_back_to_the_text_as_it_was_typed():
    assert spelled("abc") == ("abc", None)
    right, places = spelled("ก\u0e48\u0e34ง")
    assert (right, places) == ("ก\u0e34\u0e48ง", [0, 1, 1, 3, 4])
    assert spelled("กา\u200bกา") == ("กากา", [0, 1, 3, 4, 5])
    assert toneless("น้ำแข็ง") == "นำแขง"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, Áo dài!", [("hello", "Hello"), ("ao", "Áo"), ("dai", "dài")]),
        ("ดูผ้าไหม ok", [("ดู", "ดู"), ("ผ้า", "ผ้า"), ("ไหม", "ไหม"), ("ok", "ok")]),
        ("👩\u200d💻 ok", [("👩\u200d💻", "👩\u200d💻"), ("ok", "ok")]),
        ("!!! … \u200b", []),
    ],
)
def test_words_and_where_they_stand(text, found):
    assert words(text) == found


def test_words_are_bounded():
    assert sum(len(run.words) for run in runs_of("ก a " * (WORDS_MAX + 10))) <= WORDS_MAX


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("markets", "marketing"),
        ("mengirim", "dikirim"),
        ("memesan", "pesanan"),
        ("bukunya", "buku"),
        ("menulis", "tulis"),
    ],
)
def test_forms_of_one_word_share_a_candidate(one, other):
    assert candidates(one) & candidates(other)


def test_other_words_share_none():
    assert not candidates("market") & candidates("marine")
    assert candidates("น้ำ") == {"น้ำ"}
    assert all(len(each) >= ROOT_MIN for each in candidates("berlarian"))


def test_pieces():
    assert list(pieces("abcd")) == ["abc", "bcd"]
    assert list(pieces("ab")) == []
    assert [is_pieced("a" * n) for n in (PIECED_MIN - 1, PIECED_MIN, PIECED_MAX, PIECED_MAX + 1)] == [
        False,
        True,
        True,
        False,
    ]
    assert not is_pieced("123456")
    assert edged("ab") == "\u2060ab\u2060"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Hi!", {"=hi"}),
        ("Đường", {"=duong", "#\u2060du", "#duo", "#uon", "#ong", "#ng\u2060"}),
        ("kirim", {"=kirim", "#\u2060ki", "#kir", "#iri", "#rim", "#im\u2060"}),
        ("ผ้าไหม", {"=ผ้า", "=ไหม", "=ผ้าไหม", "#ผาไ", "#าไห", "#ไหม"}),
    ],
)
def test_terms_as_they_are_stored(text, stored):
    assert terms(text) == stored
