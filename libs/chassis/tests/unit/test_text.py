"""Text as people write and paste it: kept, cleaned of what does not show, or refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.errors import BodyInvalidError
from chassis.http import Line, Name, ReadableText, Text
from chassis.http.strict_json import load
from chassis.http.text import cleaned, refused_character

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
KEPT = {
    "Thai with word breaks": "สวัสดี\u200bครับ",
    "Lao with word breaks": "ສະບາຍດີ\u200bທ່ານ",
    "Khmer with word breaks": "សួស្តី\u200bអ្នក",
    "Persian": "می\u200cخواهم",
    "Hindi": "क\u094d\u200dष",
    "Sinhala": "ශ්\u200dරී",
    "Arabic beside digits": "\u200fمرحبا \u200e123",
    "Mongolian": "\u182e\u180e\u1820",
    "a flag made of tags": ENGLAND,
    "a family": "👨\u200d👩\u200d👧",
    "two lines": "one\ntwo\tthree",
    "isolates and embeddings in pairs": "שלום \u2066Sampan \u202bابن\u202c\u2069\nמחר \u2067א\u2069",
}
CLEANED = {
    "a soft hyphen": ("co\u00adoperate", "cooperate"),
    "a byte order mark": ("\ufeffhello", "hello"),
    "a word joiner": ("one\u2060two", "onetwo"),
    "an invisible operator": ("2\u2062x", "2x"),
    "what other programs end lines with": ("one\x0btwo\x0cthree\x85four", "one\ntwo\nthree\nfour"),
    "a line separator": ("one\u2028two\u2029three", "one\ntwo\nthree"),
    "word breaks in Latin": ("a\u200bb\u200dc\u200ed", "abcd"),
    "hidden tags": ("hi\U000e0068\U000e0069\U000e007f", "hi"),
    "tags behind a flag that are no region": ("\U0001f3f4" + "\U000e0061" * 50 + "\U000e007f", "\U0001f3f4"),
    "a mark again and again": ("ก\u200b\u200b\u200bข", "ก\u200bข"),
    "nothing but marks": ("\u200b\u200f\ufeff", ""),
}
UNPAIRED = [
    "a\u2066b",
    "a\u202ab",
    "a\u2069b",
    "a\u202cb",
    "\u2066a\u202c",
    "\u2066\u202aa\u2069\u202c",
    "\u2066one\ntwo\u2069",
    "\u2066one\u2029two\u2069",
    "\u2066a\u2069\u2069",
    "\u202ea\u202c",
    "\u202da\u202c",
]
REFUSED = [
    *UNPAIRED,
    "a\x00b",
    "a\x1bb",
    "a\x7fb",
    "a\x9bb",
    "a\u202eb",
    "a\u2066b",
    "a\u206ab",
    "a\ufff9b",
    "a\ufdd0b",
    "\ud800",
]
text, line = TypeAdapter(Text), TypeAdapter(Line)


@pytest.mark.parametrize("written", KEPT.values(), ids=KEPT)
def test_what_scripts_and_emoji_need_stays(written):
    assert text.validate_python(written) == written


@pytest.mark.parametrize(("pasted", "kept"), CLEANED.values(), ids=CLEANED)
def test_what_does_not_show_is_left_out(pasted, kept):
    assert text.validate_python(pasted) == kept
    assert cleaned(kept) == kept
    assert line.validate_python(pasted) == kept.replace("\n", " ")


@pytest.mark.parametrize("hostile", REFUSED)
def test_what_turns_or_breaks_text_is_refused(hostile):
    assert refused_character(hostile) is not None
    for kind in (text, line):
        with pytest.raises(ValidationError):
            kind.validate_python(hostile)


def test_every_character_is_kept_cleaned_or_refused_and_cleaning_again_changes_nothing():
    for code in range(0x110000):
        written = f"ก{chr(code)}ข"
        if refused_character(written) is None:
            once = cleaned(written)
            assert cleaned(once) == once
            assert refused_character(once) is None
            assert once[0] + once[-1] == "กข"


UNSEEN = ["   ", "\u3164", "\u2800", "\u200d\u200d", "\u00ad\u00ad", "\u2060", "\u0301", "\ufe0f", "\u200b \u2800"]


@pytest.mark.parametrize("kind", [Name, ReadableText])
@pytest.mark.parametrize("written", UNSEEN)
def test_what_people_read_shows_something_also_where_cleaning_leaves_nothing(kind, written):
    with pytest.raises(ValidationError, match="nothing of it can be seen"):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize("kind", [Name, ReadableText])
def test_nothing_may_be_given_and_what_shows_stays(kind):
    assert TypeAdapter(kind).validate_python("") == ""
    assert TypeAdapter(kind).validate_python("สวัสดี\u200bครับ") == "สวัสดี\u200bครับ"
    assert TypeAdapter(kind).validate_python("so\u00adft") == "soft"


def test_control_other_text_may_be_blank():
    assert line.validate_python("\u3164") == text.validate_python("\u3164") == "\u3164"


def test_a_reason_may_have_lines_and_a_name_has_one():
    assert TypeAdapter(ReadableText).validate_python("a\nb") == "a\nb"
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python("a\nb")


@pytest.mark.parametrize("kind", [Line, Name])
def test_a_line_leaves_out_what_isolates_and_embeds_and_ends_nowhere(kind):
    pasted = "\u2068+66 81\u2069 \u202bא\u202c\x0bb\x85c"
    assert TypeAdapter(kind).validate_python(pasted) == "+66 81 א b c"


def test_json_may_have_them_in_values_and_not_in_names():
    assert load('{"a": "\u2066ב\u2069"}'.encode()) == load(rb'{"a": "\u2066\u05d1\u2069"}') == {"a": "\u2066ב\u2069"}
    assert load(rb'{"a": "one\ftwo\u000bthree\u0085"}') == {"a": "one\ftwo\u000bthree\u0085"}
    for refused in ('{"a": "\u2066ב"}'.encode(), rb'{"a": "\u2066b"}', '{"\u2066ב\u2069": 1}'.encode()):
        with pytest.raises(BodyInvalidError):
            load(refused)
