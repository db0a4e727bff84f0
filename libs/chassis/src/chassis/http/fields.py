"""What is wrong with a field, from pydantic's findings: a pointer, a stable code, a sentence without the value."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chassis.errors import FieldError
from chassis.http.moments import OUT_OF_RANGE
from chassis.http.pointers import path_in, pointer
from chassis.http.text import ERROR_TYPE

ERRORS_MAX: Final = 20
CODES: Final = {
    "missing": "field.missing",
    "extra_forbidden": "field.unknown",
    "string_too_long": "field.too_long",
    "too_long": "field.too_long",
    "bytes_too_long": "field.too_long",
    "string_too_short": "field.too_short",
    "too_short": "field.too_short",
    "greater_than": "field.out_of_range",
    "greater_than_equal": "field.out_of_range",
    "less_than": "field.out_of_range",
    "less_than_equal": "field.out_of_range",
    "finite_number": "field.out_of_range",
    "int_parsing_size": "field.out_of_range",
    "enum": "field.not_allowed",
    "literal_error": "field.not_allowed",
    "union_tag_invalid": "field.not_allowed",
    "union_tag_not_found": "field.missing",
    "value_error": "field.invalid",
    "assertion_error": "field.invalid",
    OUT_OF_RANGE: "field.out_of_range",
    ERROR_TYPE: "field.text.refused",
}


def field_errors(error: ValidationError, document: Any) -> list[FieldError]:
    """The first ``ERRORS_MAX`` findings as pointers into the document that was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [_field_error(each, document) for each in found[:ERRORS_MAX]]


def _field_error(error: ErrorDetails, document: Any) -> FieldError:
    kind = error["type"]
    code = CODES.get(kind)
    if code is None:
        code = "field.wrong_type" if kind.endswith("_type") else "field.malformed"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return FieldError(pointer(path_in(document, error["loc"], missing=kind == "missing")), code, message)
