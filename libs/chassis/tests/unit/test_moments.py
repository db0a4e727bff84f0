"""Times that clients give: one zone, years that all can reckon with, and no way around it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from pydantic import AwareDatetime, Field, ValidationError

from chassis.http import Body, Moment, Query, RouteError, Routes, make_app
from chassis.http.fields import field_errors
from chassis.http.moments import bare_times


class Given(Body):
    at: Moment


class Nested(Body):
    many: list[Given]
    by: dict[str, Given | None]


class Aliased(Query):
    since: Annotated[Moment | None, Field(alias="from")] = None


class Naive(Body):
    at: datetime | None = None


class Aware(Query):
    at: Annotated[AwareDatetime | None, Field(alias="from")] = None


class Deep(Body):
    many: list[Given]
    by: dict[str, Naive]


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00+00:01",
        "2101-01-01T00:00:00Z",
        "2100-12-31T23:59:59-01:00",
    ],
)
def test_a_time_beyond_the_years_is_out_of_range(text: str) -> None:
    for model, name in ((Given, "at"), (Aliased, "from")):
        with pytest.raises(ValidationError) as refused:
            model.model_validate({name: text})
        [error] = field_errors(refused.value, {name: text})
        assert (error.code, error.pointer) == ("field.out_of_range", f"/{name}")


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01", "now"])
def test_a_time_without_a_zone_is_none(text: str) -> None:
    with pytest.raises(ValidationError):
        Given.model_validate({"at": text})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1969-12-31T23:00:00-01:00", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2100-12-31T23:59:59Z", datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-28T14:00:00+07:00", datetime(2026, 11, 28, 7, tzinfo=UTC)),
    ],
)
def test_a_time_within_the_years_is_in_utc(text: str, moment: datetime) -> None:
    given = Given.model_validate_json(f'{{"at": "{text}"}}', strict=True).at
    assert (given, given.utcoffset()) == (moment, timedelta(0))


@pytest.mark.parametrize(
    ("model", "bare"), [(Given, False), (Nested, False), (Aliased, False), (Naive, True), (Aware, True), (Deep, True)]
)
def test_a_time_that_is_no_moment_is_found_wherever_it_is(model: type[Body], bare: bool) -> None:  # noqa: FBT001
    assert bare_times(model) is bare


async def takes_deep(body: Deep) -> None:
    del body


async def takes_aware(query: Aware) -> None:
    del query


async def takes_nested(body: Nested) -> None:
    del body


def test_a_route_that_reads_another_time_cannot_be_served() -> None:
    for handler in (takes_deep, takes_aware):
        routes = Routes(tag="x")
        routes.post("/v1/x", auth="public", summary="x")(handler)
        with pytest.raises(RouteError, match="is a Moment"):
            make_app("x", [routes], app=None)
    routes = Routes(tag="x")
    routes.post("/v1/x", auth="public", summary="x")(takes_nested)
    make_app("x", [routes], app=None)
