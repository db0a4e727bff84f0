"""What people write shows something, wherever they write it: in a message, a poll, a command, a file's name."""

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.http.fields import field_errors
from messaging.bots.entrypoints.schemas.bots import CommandBody
from messaging.core.entrypoints.schemas.contents import Content, PollContent
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.files.entrypoints.schemas.attachments import AttachmentBody

FILE = {"media_type": "image/png", "size_bytes": 1, "purpose": "image"}
WRITTEN = {
    "text": (Content, lambda text: {"type": "text", "text": text}),
    "code": (Content, lambda text: {"type": "code", "text": text}),
    "question": (Content, lambda text: {"type": "poll", "question": text, "options": ["one", "two"]}),
    "option": (Content, lambda text: {"type": "poll", "question": "?", "options": ["one", text]}),
    "contact": (Content, lambda text: {"type": "contact", "name": text, "phone_e164": "+66800000000"}),
    "command": (CommandBody, lambda text: {"command": "help", "description": text}),
    "file name": (AttachmentBody, lambda text: {"file_name": text, **FILE}),
}
MARKS_ALONE = ["\u0301", "\u0e34", "\u20dd", " \u093e "]


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", ["", "  ", "\u3164\u2800", "\ufffc", "\ue000", *MARKS_ALONE, "\u3164\u0301"])
def test_what_shows_nothing_is_refused(place, text):
    shape, body = WRITTEN[place]
    with pytest.raises(ValidationError):
        TypeAdapter(shape).validate_python(body(text))


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        ({"type": "text", "text": "x", "foo": 1}, "/content/foo", "field.unknown"),
        ({"type": "text", "text": 1}, "/content/text", "field.wrong_type"),
        ({"type": "text"}, "/content/text", "field.missing"),
        ({"type": "code", "text": "x", "language": "?"}, "/content/language", "field.malformed"),
        (
            {"type": "poll", "question": "?", "options": ["a", "b"], "multiple": 2},
            "/content/multiple",
            "field.malformed",
        ),
        ({"type": "poll", "question": "?", "options": ["a", "a"]}, "/content", "field.invalid"),
        ({"type": "contact", "name": "x"}, "/content", "field.invalid"),
        ({"type": "image", "text": "x"}, "/content/attachment_ids", "field.missing"),
    ],
)
def test_the_field_of_a_content_that_is_at_fault_is_named(content, pointer, code):
    body = {"client_message_id": "00000000-0000-4000-8000-000000000000", "content": content}
    with pytest.raises(ValidationError) as refused:
        SendMessageBody.model_validate_json(orjson.dumps(body))
    assert [(each.pointer, each.code) for each in field_errors(refused.value, body)] == [(pointer, code)]


@pytest.mark.parametrize("place", WRITTEN)
@pytest.mark.parametrize("text", ["x", "!", "ดี", "e\u0301", "\u2764\ufe0f", "\U0001f3fb", "\u3164ok"])
def test_what_shows_anything_is_taken_as_it_is(place, text):
    shape, body = WRITTEN[place]
    assert text in str(TypeAdapter(shape).validate_python(body(text)).model_dump())


def test_lines_of_code_keep_their_blanks():
    text = "\n    if x:\n\treturn\n\n"
    assert TypeAdapter(Content).validate_python({"type": "code", "text": text}).text == text


@pytest.mark.parametrize(
    ("one", "other"),
    [("é", "e\u0301"), ("ก\u0e48\u0e38", "ก\u0e38\u0e48"), ("a", "a "), ("a b", "a\u00a0b"), ("❤", "❤\ufe0f")],
)
def test_options_of_a_poll_that_look_the_same_are_one(one, other):
    poll = {"type": "poll", "question": "?"}
    with pytest.raises(ValidationError, match="options must differ"):
        PollContent.model_validate({**poll, "options": [one, other]})
    PollContent.model_validate({**poll, "options": [one, "something else"]})


@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("1", "①"), ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👦")])
def test_options_of_a_poll_that_look_otherwise_are_two(one, other):
    PollContent.model_validate({"type": "poll", "question": "?", "options": [one, other]})
