"""What is found in five languages, against a table of what people would want found."""

import json
import uuid
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import pytest_asyncio

from testkit.wait import eventually

TABLE = json.loads((Path(__file__).parents[1] / "data" / "search_cases.json").read_text(encoding="utf-8"))
RECALL_MIN, PRECISION_MIN = 0.97, 0.97


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def spoken(world):
    """Everything the table says, in one dialog: names of messages by seq."""
    nok = await world.person()
    dialog_id = await world.group(nok)
    names = {(await nok.send(dialog_id, text))["seq"]: name for name, text in TABLE["messages"].items()}

    async def all_indexed():
        async with world.app.database.read() as conn:
            count = await conn.fetchval("SELECT count(*) FROM search_entry WHERE dialog_id = $1", uuid.UUID(dialog_id))
        return count == len(names)

    await eventually(all_indexed, timeout_s=30)
    return nok, names


async def answers(spoken, q):
    nok, names = spoken
    page = await nok.ok("GET", f"/v1/messages/search?limit=100&q={quote(q)}")
    return {names[hit["message"]["seq"]] for hit in page["items"]}


async def test_the_table_is_big_enough_and_covers_each_language():
    counted = defaultdict(int)
    for case in TABLE["cases"]:
        for language in {name[:2] for name in case["hits"]}:
            counted[language] += 1
    assert len(TABLE["cases"]) >= 60
    assert all(counted[each] >= 9 for each in ("en", "th", "id", "ms", "vi")), dict(counted)


async def test_what_people_want_is_found_and_little_else(spoken):
    wanted = found = right = 0
    wrong = []
    for case in TABLE["cases"]:
        there, expected = await answers(spoken, case["q"]), set(case["hits"])
        wanted, found, right = wanted + len(expected), found + len(there), right + len(there & expected)
        if there != expected:
            wrong.append((case["q"], sorted(there - expected), sorted(expected - there)))
    assert right / wanted >= RECALL_MIN, wrong
    assert right / found >= PRECISION_MIN, wrong
