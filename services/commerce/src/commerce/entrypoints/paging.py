"""From one row more than asked for to a page and its cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from chassis.http import Page, View
from chassis.paging import CursorInvalidError, Cursors

RowT = TypeVar("RowT")
ViewT = TypeVar("ViewT", bound=View)


def page_of(
    rows: Sequence[RowT],
    limit: int,
    *,
    view: Callable[[RowT], ViewT],
    position: Callable[[RowT], Sequence[Any]],
    cursors: Cursors,
    scope: str,
) -> Page[ViewT]:
    """The first ``limit`` rows, and a cursor when there are more."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        items=[view(row) for row in shown],
        next_cursor=cursors.encode(position(shown[-1]), scope=scope) if more else None,
    )


def newest_position(cursors: Cursors, cursor: str | None, scope: str) -> tuple[datetime, UUID] | None:
    """Where a list by time goes on. Raises ``CursorInvalidError``."""
    if cursor is None:
        return None
    match cursors.decode(cursor, scope=scope):
        case (str(at), str(row_id)):
            return datetime.fromisoformat(at), UUID(row_id)
        case _:
            raise CursorInvalidError
