"""What Postgres says of a statement that was done, objects out of the rows it gives, and rows and arrays of objects."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def rows_affected(status: str) -> int:
    """How many rows a statement wrote, by the command tag ``execute`` returns, such as ``UPDATE 11``.

    Raises ``ValueError`` where it names none.
    """
    return int(status.rpartition(" ")[2])


def object_of(kind: Callable[..., T], row: Any, /, **others: Any) -> T:
    """A dataclass: the fields in ``others``, and each other one out of the row's column of its name."""
    for name in _names_of(kind):
        if name not in others:
            others[name] = row[name]
    return kind(**others)


def values_of(source: Any, columns: str, /, **others: Any) -> list[Any]:
    """For each name of a statement's list of columns the value: out of ``others``, or what the object has under it."""
    return [others[name] if name in others else getattr(source, name) for name in _names_in(columns)]


def columns_of(objects: Collection[Any], *names: str) -> list[list[Any]]:
    """For each name the array of what the objects have under it: what ``unnest`` in a statement makes rows of."""
    return [list(map(attrgetter(name), objects)) for name in names]


@cache
def _names_in(columns: str) -> tuple[str, ...]:
    return tuple(columns.replace(",", " ").split())


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
