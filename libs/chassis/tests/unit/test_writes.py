"""Several writes as one statement: each keeps its own values."""

from __future__ import annotations

from typing import Any

from chassis.writes import Write, write_together


class Heard:
    """Stands for a connection: remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    async def execute(self, *told: Any) -> str:
        self.told = list(told)
        return "UPDATE 3"


async def test_one_write_goes_as_it_is() -> None:
    conn: Any = Heard()
    assert await write_together(conn, [Write("UPDATE a SET x = $2 WHERE id = $1", ["i", "x"])]) == 3
    assert conn.told == ["UPDATE a SET x = $2 WHERE id = $1", "i", "x"]


async def test_places_move_behind_those_before() -> None:
    conn: Any = Heard()
    many = ", ".join(f"${n}" for n in range(1, 12))
    await write_together(
        conn,
        [
            Write(f"INSERT INTO a VALUES ({many})", list(range(11))),
            Write("DELETE FROM b WHERE k = $1", ["k"]),
            Write("UPDATE c SET x = $1, y = $2::int[]", ["x", "y"]),
        ],
    )
    assert conn.told[0] == (
        f"WITH write_0 AS (INSERT INTO a VALUES ({many})), write_1 AS (DELETE FROM b WHERE k = $12) "
        "UPDATE c SET x = $13, y = $14::int[]"
    )
    assert conn.told[1:] == [*range(11), "k", "x", "y"]


async def test_what_a_write_returns_has_a_name_for_those_after_it() -> None:
    conn: Any = Heard()
    await write_together(
        conn, [Write("SELECT $1 AS x", [1], "asked"), Write("INSERT INTO a SELECT x + $1 FROM asked", [2])]
    )
    assert conn.told == ["WITH asked AS (SELECT $1 AS x) INSERT INTO a SELECT x + $2 FROM asked", 1, 2]
