"""Search through the API: what is found, by whom, how soon, and page by page."""

import time
import uuid
from urllib.parse import quote

import pytest

from messaging.search.usecases.reindex_messages import reindex_messages
from testkit.wait import eventually


async def search(person, q, **query):
    asked = "".join(f"&{name}={quote(str(value))}" for name, value in query.items())
    return await person.ok("GET", f"/v1/messages/search?q={quote(q)}{asked}")


async def seqs(person, q, **query):
    return [hit["message"]["seq"] for hit in (await search(person, q, **query))["items"]]


async def findable(person, q, wanted, **query):
    async def look():
        return await seqs(person, q, **query) == wanted or None

    await eventually(look, timeout_s=20, what=f"{q} to be found at {wanted}")


async def test_a_message_is_found_by_its_words_with_the_place_of_each(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    sent = await nok.send(dialog_id, "Please send the 🧾 invoice today")
    await findable(budi, "INVOICE please", [sent["seq"]])
    [hit] = (await search(budi, "INVOICE please"))["items"]
    text = hit["message"]["content"]["text"]
    assert [text[each["start"] : each["end"]] for each in hit["highlights"]] == ["Please", "invoice"]
    assert hit["match"] == "exact"
    page = await budi.ok("GET", hit["messages_url"])
    assert hit["message"]["seq"] in [each["seq"] for each in page["items"]]


async def test_an_idle_follower_finds_it_within_a_second(world):
    nok = await world.person()
    dialog_id = await world.group(nok)
    first = await nok.send(dialog_id, "warmed")
    await findable(nok, "warmed", [first["seq"]])
    lags = []
    for n in range(5):
        word = f"lag{uuid.uuid4().hex}"
        sent = await nok.send(dialog_id, f"{word} {n}")
        started = time.monotonic()
        await findable(nok, word, [sent["seq"]])
        lags.append(time.monotonic() - started)
    assert sorted(lags)[2] < 1.0, lags


async def test_only_what_the_caller_may_see_now_is_found(world):
    nok, budi, som = await world.person(), await world.person(), await world.person()
    word = f"secret{uuid.uuid4().hex[:8]}"
    dialog_id = await world.group(nok, budi)
    sent = await nok.send(dialog_id, word)
    await findable(budi, word, [sent["seq"]])
    assert await seqs(som, word) == []
    assert await som.refused("GET", f"/v1/messages/search?q={word}&dialog_id={dialog_id}") == (
        "messaging.dialog.not_found"
    )
    await budi.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}?whom=me")
    assert await seqs(budi, word) == []
    assert await seqs(nok, word) == [sent["seq"]]
    again = await nok.send(dialog_id, word)
    await findable(budi, word, [again["seq"]])
    await budi.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{budi.user_id}")
    assert await seqs(budi, word) == []


async def test_who_joined_later_finds_what_came_after_where_history_begins_at_joining(world):
    nok, budi = await world.person(), await world.person()
    word = f"history{uuid.uuid4().hex[:8]}"
    dialog_id = await world.group(nok)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE dialog SET history_from = 'join' WHERE dialog_id = $1", uuid.UUID(dialog_id))
    before = await nok.send(dialog_id, word)
    await nok.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(budi.user_id)]})
    after = await nok.send(dialog_id, word)
    await findable(nok, word, [after["seq"], before["seq"]])
    assert await seqs(budi, word) == [after["seq"]]


async def test_edited_messages_are_found_by_what_they_say_now_and_deleted_ones_not_at_all(world):
    nok = await world.person()
    old, new = (f"{name}{uuid.uuid4().hex[:8]}" for name in ("old", "new"))
    dialog_id = await world.group(nok)
    sent = await nok.send(dialog_id, f"{old} words")
    await findable(nok, old, [sent["seq"]])
    body = {"content": {"type": "text", "text": f"{new} words"}}
    await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}", body)
    assert await seqs(nok, old) == []
    await findable(nok, new, [sent["seq"]])
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}")
    assert await seqs(nok, new) == []

    async def forgotten():
        async with world.app.database.read() as conn:
            sql = "SELECT count(*) = 0 FROM search_entry WHERE dialog_id = $1 AND seq = $2"
            return await conn.fetchval(sql, uuid.UUID(dialog_id), sent["seq"])

    await eventually(forgotten, timeout_s=20)


async def test_filters_narrow_and_stand_alone(world):
    nok, budi = await world.person(), await world.person()
    word = f"filter{uuid.uuid4().hex[:8]}"
    dialog_id, other_id = await world.group(nok, budi), await world.group(nok, budi)
    first = await nok.send(dialog_id, f"{word} one")
    second = await budi.send(dialog_id, f"{word} two", content={"type": "code", "text": f"{word} = 2"})
    third = await nok.send(other_id, f"{word} three")
    await findable(nok, word, [third["seq"], second["seq"], first["seq"]])
    assert await seqs(nok, word, dialog_id=dialog_id) == [second["seq"], first["seq"]]
    assert await seqs(nok, word, sender_id=budi.user_id) == [second["seq"]]
    assert await seqs(nok, word, type="code") == [second["seq"]]
    assert await seqs(nok, "", type="code", dialog_id=dialog_id) == [second["seq"]]
    assert await seqs(nok, word, to=first["sent_at"], dialog_id=dialog_id) == [first["seq"]]
    assert await seqs(nok, word, **{"from": third["sent_at"]}) == [third["seq"]]


async def test_pages_are_whole_newest_first_and_exact_before_similar(world):
    nok = await world.person()
    dialogs = [await world.group(nok) for _ in range(3)]
    word = f"page{uuid.uuid4().hex[:8]}x"
    exact, similar = [], []
    for n in range(60):
        place = dialogs[n % 3]
        sent = await nok.send(place, word if n % 2 else f"{word[:-1]}y {n}")
        (exact if n % 2 else similar).append((place, sent["seq"]))
    await findable(nok, word, [seq for _, seq in [*exact[::-1], *similar[::-1]]], limit=100)
    seen, cursor = [], {}
    for _ in range(40):
        page = await search(nok, word, limit=7, **cursor)
        seen += [(hit["message"]["dialog_id"], hit["message"]["seq"], hit["match"]) for hit in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    wanted = [(*each, "exact") for each in exact[::-1]] + [(*each, "similar") for each in similar[::-1]]
    assert seen == wanted


async def all_pages(person, word, **query):
    seen, cursor = [], {}
    while True:
        page = await search(person, word, **query, **cursor)
        seen += [(hit["message"]["dialog_id"], hit["message"]["seq"]) for hit in page["items"]]
        if page["next_cursor"] is None:
            return seen
        cursor = {"cursor": page["next_cursor"]}


async def test_a_word_in_every_message_is_paged_through_stretches_to_the_end(world, monkeypatch):
    """With stretches, rounds and the budget made small, the same answers come."""
    nok = await world.person()
    dialogs = [await world.group(nok) for _ in range(2)]
    ids = [uuid.UUID(each) for each in dialogs]
    word = f"every{uuid.uuid4().hex[:8]}"
    with monkeypatch.context() as small:
        small.setattr("messaging.search.domain.blind.STRETCH", 8)
        for name, value in {
            "STRETCH": 8,
            "EXAMINED_MAX": 6,
            "_CANDIDATES_EACH": 3,
            "_ROUND_FIRST": 1,
            "_LOOKED_AT_MIN": 1,
        }.items():
            small.setattr(f"messaging.search.adapters.message_search_reads.{name}", value)
        sent = [(dialogs[n % 2], (await nok.send(dialogs[n % 2], f"{word} {n}"))["seq"]) for n in range(40)]

        async def all_there():
            async with world.app.database.read() as conn:
                return await conn.fetchval("SELECT count(*) FROM search_entry WHERE dialog_id = ANY($1)", ids) == 40

        await eventually(all_there, timeout_s=20)
        assert await all_pages(nok, word, limit=4) == sent[::-1]
    async with world.app.begin() as tx:
        for table in ("search_entry", "search_stretch"):
            await tx.conn.execute(f"DELETE FROM {table} WHERE dialog_id = ANY($1)", ids)
    for each in ids:
        await reindex_messages(each, world.app.begin, world.app.blind, lambda _: None)
    assert await all_pages(nok, word, limit=4) == sent[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "q=%20",
        "q=...",
        f"q={'a' * 201}",
        "q=a&limit=0",
        "q=a&limit=101",
        "q=a&cursor=forged",
        "q=a&type=No%20Type",
        "q=a&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "q=a&from=2026-01-01T00:00:00",
        "q=a&sender_id=me",
        "q=a%00b",
        "q=a&unknown=1",
    ],
)
async def test_what_cannot_be_asked_is_refused(world, query):
    nok = await world.person()
    answer = await nok.do("GET", f"/v1/messages/search?{query}")
    assert answer.status in {400, 422}, answer.content
    assert answer.json["code"]


@pytest.mark.parametrize(
    "q", ["' | 'x", "a:* & !b", "\\'; --", "((((", "%_%", "🧾", "a" * 200, "ก" * 200, "1 2 3 4 5 6 7 8 9 0 a b c d"]
)
async def test_what_looks_like_syntax_is_only_words(world, q):
    nok = await world.person()
    dialog_id = await world.group(nok)
    await nok.send(dialog_id, "nothing of the kind")
    answer = await nok.do("GET", f"/v1/messages/search?q={quote(q)}")
    assert answer.status in {200, 422}, answer.content


async def test_the_index_holds_no_word(world):
    nok = await world.person()
    word = f"wordless{uuid.uuid4().hex[:6]}"
    dialog_id = await world.group(nok)
    sent = await nok.send(dialog_id, f"{word} น้ำแข็ง")
    await findable(nok, word, [sent["seq"]])
    async with world.app.database.read() as conn:
        terms = await conn.fetchval(
            "SELECT terms::text FROM search_entry WHERE dialog_id = $1 AND seq = $2", uuid.UUID(dialog_id), sent["seq"]
        )
    lexemes = terms.replace("'", "").split()
    assert lexemes
    assert all(len(each) == 5 and each.isascii() for each in lexemes)
