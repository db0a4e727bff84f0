"""``Name``: what people tell somebody or something apart by has to show; the empty name is a question of length."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from chassis.errors import FieldError
from chassis.http import Body, Line, Name
from chassis.http.fields import field_errors


class Named(Body):
    name: Annotated[Name, Field(max_length=20)]


class Lined(Body):
    name: Annotated[Line, Field(max_length=20)]


def findings(text: str) -> list[FieldError]:
    document = {"name": text}
    try:
        Named.model_validate(document)
    except ValidationError as error:
        return field_errors(error, document)
    return []


@pytest.mark.parametrize(
    "text", ["\u3164" * 3, "\uffa0", "\u115f\u1160", "\u2800 \u2800", "\u0301", "\u3164\u0e34", "   "]
)
def test_names_that_show_nothing_are_refused(text: str) -> None:
    assert [(each.pointer, each.code) for each in findings(text)] == [("/name", "field.text.refused")]


@pytest.mark.parametrize("text", ["", "김민수", "Kim \u3131\u3161", "ร้านใจดี", "𞤀𞤣", "🐶", "7-Eleven"])
def test_names_that_show_are_taken_as_they_are(text: str) -> None:
    assert findings(text) == []


def test_control_a_line_takes_them() -> None:
    assert Lined.model_validate({"name": "\u3164"}).name == "\u3164"
