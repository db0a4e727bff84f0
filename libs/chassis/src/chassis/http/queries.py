"""Reads a query string into a pydantic model: named parameters, each known, given once unless it is a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from aiohttp import web
from pydantic import BaseModel, ValidationError

from chassis.errors import FieldCode, FieldError, QueryInvalidError
from chassis.http.fields import ERRORS_MAX, field_errors
from chassis.http.pointers import pointer
from chassis.http.text import refused_character

PARAMETERS_MAX: Final = 64
_DETAIL: Final = "see errors for the parameters at fault"
# As in a body: pydantic alone would also read `1_0`, `+5` and ` 5`.
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class QueryReader:
    """Reads the query string of one route."""

    def __init__(self, model: type[BaseModel] | None, lists: Sequence[str] = ()) -> None:
        self._model, self._lists = model, frozenset(lists)
        self._numbers = _numbers_of(model)
        self._default = _default_of(model)

    def read(self, request: web.Request) -> Any:
        """The model; None when the route takes no parameters. Raises ``QueryInvalidError``."""
        url = request.rel_url
        given = url.query if url.raw_query_string else None
        if self._model is None:
            if given:
                raise QueryInvalidError("this route takes no query parameters", errors=_unknown(given))
            return None
        if given is None and self._default is not None:
            return self._default
        values = self._values(given) if given else {}
        try:
            return self._model.__pydantic_validator__.validate_python(values)
        except ValidationError as error:
            raise QueryInvalidError(_DETAIL, errors=field_errors(error, values)) from None

    def _values(self, given: Any) -> dict[str, Any]:
        if len(given) > PARAMETERS_MAX:
            raise QueryInvalidError(f"at most {PARAMETERS_MAX} parameters are read")
        values: dict[str, Any] = {}
        for name, value in given.items():
            character = refused_character(value) or ("U+000A" if "\n" in value else None)
            if character:
                raise _refusal(name, FieldCode.TEXT_REFUSED, f"the character {character} is not allowed here")
            if name in self._numbers and not _NUMBER.fullmatch(value):
                raise _refusal(name, FieldCode.MALFORMED, "a number is written in digits")
            if name in self._lists:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise _refusal(name, FieldCode.GIVEN_TWICE, "give this parameter once")
            else:
                values[name] = value
        return values


def _numbers_of(model: type[BaseModel] | None) -> frozenset[str]:
    """Names of the parameters that are numbers, or lists of them, or may be left out."""
    fields = model.model_fields if model is not None else {}
    return frozenset(name for name, field in fields.items() if _is_number(field.annotation))


def _is_number(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType, list, Annotated}:
        return any(_is_number(each) for each in get_args(annotation))
    return annotation is int or annotation is float


def _default_of(model: type[BaseModel] | None) -> BaseModel | None:
    """What a request without parameters gets, the same object each time; None when it is not that simple."""
    if model is None or not model.model_config.get("frozen"):
        return None
    try:
        return model.model_validate({})
    except ValidationError:
        return None


def _refusal(name: str, code: str, detail: str) -> QueryInvalidError:
    return QueryInvalidError(_DETAIL, errors=[FieldError(pointer((name,)), code, detail)])


def _unknown(given: Any) -> list[FieldError]:
    names = list(dict.fromkeys(given))[:ERRORS_MAX]
    return [FieldError(pointer((name,)), FieldCode.UNKNOWN, "there is no such parameter") for name in names]
