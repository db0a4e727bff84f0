"""Keyset paging: a page is the first ``limit`` rows of one more than that; a cursor holds the last one's sort values.

Invariant: a cursor opens only in the list it was made for, and gives values of the types the list is sorted by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Self, TypeVar
from uuid import UUID

from chassis.http.models import Page, View
from chassis.paging import CursorInvalidError, Cursors

RowT = TypeVar("RowT")
ViewT = TypeVar("ViewT", bound=View)

_POINTER: Final = "/cursor"
_READ: Final[Mapping[type, Callable[[str], Any]]] = {datetime: datetime.fromisoformat, UUID: UUID}


@dataclass(frozen=True, slots=True)
class Keyset:
    """The order of one list: a name that is its own, and the types of the values it is sorted by.

    Types are ``datetime`` and ``UUID``, which travel as text, and JSON's own ``int`` and ``str``.
    """

    scope: str
    types: tuple[type, ...]

    def of(self, *parts: object) -> Self:
        """The same order for one list of many: a wallet's transactions, or those of one filter."""
        return replace(self, scope=":".join(map(str, (self.scope, *parts))))

    def position(self, cursors: Cursors, cursor: str | None) -> tuple[Any, ...] | None:
        """The sort values of the last row that was shown; None at the beginning. Raises ``CursorInvalidError``."""
        if cursor is None:
            return None
        values = cursors.decode(cursor, scope=self.scope)
        if len(values) != len(self.types):
            raise CursorInvalidError("the cursor was not issued by this list", pointer=_POINTER)
        return tuple(map(_read, self.types, values))

    def page(
        self,
        cursors: Cursors,
        rows: Sequence[RowT],
        limit: int,
        *,
        view: Callable[[RowT], ViewT | None],
        position: Callable[[RowT], Sequence[Any]],
    ) -> Page[ViewT]:
        """Of at most ``limit + 1`` rows the first ``limit`` as views, and a cursor when there is one row more.

        A row whose view is None is left out, and the page is one shorter.
        """
        shown = rows[:limit]
        more = len(rows) > limit
        next_cursor = cursors.encode(position(shown[-1]), scope=self.scope) if more else None
        return Page(items=[each for each in map(view, shown) if each is not None], next_cursor=next_cursor)


def _read(kind: type, value: Any) -> Any:
    try:
        read = _READ[kind](value) if kind in _READ else value
    except (TypeError, ValueError):
        read = None
    if not isinstance(read, kind):
        raise CursorInvalidError("the cursor was not issued by this list", pointer=_POINTER)
    return read
