"""Shapes of requests and answers that every service shares.

Invariant: an unknown field is refused on the way in, so a typo is not lost; money is minor units and a currency.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from kernel.money import AMOUNT_MINOR_MAX, Currency, Money

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
WAIT_S_MAX = 10.0


class Body(BaseModel):
    """A JSON request body. Read strictly: ``"1"`` is not a number, and an unknown field is an error."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """Query parameters. Lists are given by repeating the name."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class View(BaseModel):
    """What readers get."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)

    @classmethod
    def of_fields(cls, source: Any, /, **others: Any) -> Self:
        """``others``, and the rest of its fields by their names out of ``source``: an object, or a row."""
        take = source.__getitem__ if hasattr(source, "keys") else partial(getattr, source)
        for name in _names_of(cls):
            if name not in others:
                others[name] = take(name)
        return cls(**others)


@cache
def _names_of(view: type[View]) -> tuple[str, ...]:
    return tuple(view.model_fields)


class MoneyBody(Body):
    """An amount in minor units of a currency, e.g. ``{"amount_minor": 125000, "currency": "THB"}``."""

    amount_minor: Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
    currency: Currency

    def to_money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class MoneyView(View):
    """An amount in minor units of a currency."""

    amount_minor: Annotated[int, Field(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
    currency: Currency


class PageQuery(Query):
    """How much of a list, and from where. The cursor comes from the page before."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[str, Field(min_length=1, max_length=2048)] | None = None


class WaitQuery(Query):
    """Hold the answer until the object leaves its pending state, for at most ``wait_s`` seconds."""

    wait_s: Annotated[float, Field(ge=0, le=WAIT_S_MAX)] = 0.0


ItemT = TypeVar("ItemT", bound=View)


class Page(View, Generic[ItemT]):
    """One page of a list. ``next_cursor`` is null on the last one."""

    items: list[ItemT]
    next_cursor: str | None = None
