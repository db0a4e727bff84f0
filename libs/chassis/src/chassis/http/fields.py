"""What is wrong with a field, from pydantic's findings: a pointer, a stable code, a sentence without the value."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chassis.errors import FieldCode, FieldError
from chassis.http.moments import OUT_OF_RANGE
from chassis.http.pointers import path_in, pointer
from chassis.http.text import ERROR_TYPE

ERRORS_MAX: Final = 20
CODES: Final = {
    "missing": FieldCode.MISSING,
    "extra_forbidden": FieldCode.UNKNOWN,
    "string_too_long": FieldCode.TOO_LONG,
    "too_long": FieldCode.TOO_LONG,
    "bytes_too_long": FieldCode.TOO_LONG,
    "string_too_short": FieldCode.TOO_SHORT,
    "too_short": FieldCode.TOO_SHORT,
    "greater_than": FieldCode.OUT_OF_RANGE,
    "greater_than_equal": FieldCode.OUT_OF_RANGE,
    "less_than": FieldCode.OUT_OF_RANGE,
    "less_than_equal": FieldCode.OUT_OF_RANGE,
    "finite_number": FieldCode.OUT_OF_RANGE,
    "int_parsing_size": FieldCode.OUT_OF_RANGE,
    "enum": FieldCode.NOT_ALLOWED,
    "literal_error": FieldCode.NOT_ALLOWED,
    "union_tag_invalid": FieldCode.NOT_ALLOWED,
    "union_tag_not_found": FieldCode.MISSING,
    "value_error": FieldCode.INVALID,
    "assertion_error": FieldCode.INVALID,
    OUT_OF_RANGE: FieldCode.OUT_OF_RANGE,
    ERROR_TYPE: FieldCode.TEXT_REFUSED,
}


def field_errors(error: ValidationError, document: Any) -> list[FieldError]:
    """The first ``ERRORS_MAX`` findings as pointers into the document that was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [_field_error(each, document) for each in found[:ERRORS_MAX]]


def _field_error(error: ErrorDetails, document: Any) -> FieldError:
    kind = error["type"]
    code = CODES.get(kind)
    if code is None:
        code = FieldCode.WRONG_TYPE if kind.endswith("_type") else FieldCode.MALFORMED
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return FieldError(pointer(path_in(document, error["loc"], missing=kind == "missing")), code, message)
