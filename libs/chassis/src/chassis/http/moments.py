"""Points in time as clients give them: with a zone, and within years that every part of a service can reckon with.

Invariant: no body and no query has another: at the edges of the calendar a time of some zones has none in UTC, and
what is from long before or after is a mistake. ``bare_times`` says where one would come in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel
from pydantic_core import PydanticCustomError

YEAR_FIRST: Final = 1970
YEAR_LAST: Final = 2100
OUT_OF_RANGE: Final = "moment_out_of_range"


def _in_utc(given: datetime) -> datetime:
    try:
        moment = given.astimezone(UTC)
    except OverflowError:
        moment = None
    if moment is None or not YEAR_FIRST <= moment.year <= YEAR_LAST:
        raise PydanticCustomError(
            OUT_OF_RANGE,
            "a time is within the years {first} to {last} in UTC",
            {"first": YEAR_FIRST, "last": YEAR_LAST},
        )
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A point in time, in UTC."""


def bare_times(model: type[BaseModel]) -> bool:
    """Whether a time that is no ``Moment`` is anywhere in what the model reads."""
    return any(_bare(model.__pydantic_core_schema__))


def _bare(schema: Any) -> Iterator[bool]:
    if isinstance(schema, Mapping):
        if schema.get("type") == "datetime":
            yield True
        if not _is_moment(schema):
            for each in schema.values():
                yield from _bare(each)
    elif isinstance(schema, (list, tuple)):
        for each in schema:
            yield from _bare(each)


def _is_moment(schema: Mapping[str, Any]) -> bool:
    function = schema.get("function")
    return isinstance(function, Mapping) and function.get("function") is _in_utc
