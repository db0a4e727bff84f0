from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chassis.http import Keyset, View
from chassis.paging import CursorInvalidError, Cursors

CURSORS = Cursors("a-secret-of-this-test")
NEWEST = Keyset("things", (datetime, UUID))
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Shown(View):
    number: int


def page(rows: list[int], limit: int):
    return Keyset("numbers", (int,)).page(
        CURSORS, rows, limit, view=lambda row: Shown(number=row), position=lambda row: (row,)
    )


@pytest.mark.parametrize(("rows", "more"), [([], False), ([1], False), ([1, 2], False), ([1, 2, 3], True)])
def test_a_cursor_is_given_only_when_there_is_more(rows: list[int], more: bool) -> None:  # noqa: FBT001 -- a parameter of the case
    found = page(rows, 2)
    assert [each.number for each in found.items] == rows[:2]
    assert (found.next_cursor is not None) == more


def test_goes_on_after_the_last_row_shown() -> None:
    assert Keyset("numbers", (int,)).position(CURSORS, page([7, 8, 9], 2).next_cursor) == (8,)
    assert NEWEST.position(CURSORS, None) is None


def test_values_come_back_as_they_were() -> None:
    row_id = uuid4()
    assert NEWEST.position(CURSORS, CURSORS.encode((NOON, row_id), scope="things")) == (NOON, row_id)


@pytest.mark.parametrize("values", [(), (NOON,), (NOON, "x"), (1, uuid4()), (NOON, uuid4(), 1), (None, None)])
def test_a_cursor_of_another_shape_is_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(CursorInvalidError):
        NEWEST.position(CURSORS, CURSORS.encode(values, scope="things"))


def test_a_cursor_of_another_list_is_refused() -> None:
    mine, yours = NEWEST.of("mine", None), NEWEST.of("yours", None)
    cursor = CURSORS.encode((NOON, uuid4()), scope=mine.scope)
    assert mine.position(CURSORS, cursor)
    with pytest.raises(CursorInvalidError):
        yours.position(CURSORS, cursor)
