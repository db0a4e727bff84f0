"""What a sync answers beyond news: positions from the future, and more dialogs than one answer has."""

import uuid

from messaging.core.adapters.stream_reads import WATCHED_MAX


async def sync(person, dialogs=None, **rest):
    return await person.ok("POST", "/v1/sync", {"dialogs": dialogs or {}, **rest})


async def test_a_position_from_the_future_is_too_old_as_on_the_socket(world):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await nok.send(dialog_id))["seq"]
    assert (await sync(ari, {dialog_id: last}))["dialogs"] == []
    [told] = (await sync(ari, {dialog_id: last + 7}))["dialogs"]
    assert (told["too_old"], told["last_seq"], told["events"]) == (True, last, [])
    assert told["dialog"]["dialog_id"] == dialog_id
    assert (await sync(ari))["more_after"] is None


async def test_a_person_with_fifteen_hundred_dialogs_gets_everything(world):
    nok = await world.person()
    first = await world.group(nok)
    async with world.app.begin() as tx:
        rows = await tx.conn.fetch(
            "INSERT INTO dialog SELECT (jsonb_populate_record(d, jsonb_build_object('dialog_id', gen_random_uuid()))).* "
            "FROM dialog d, generate_series(1, 1499) WHERE d.dialog_id = $1 RETURNING dialog_id",
            uuid.UUID(first),
        )
        copies = [row["dialog_id"] for row in rows]
        await tx.conn.execute(
            "INSERT INTO member SELECT (jsonb_populate_record(m, jsonb_build_object('dialog_id', t.copy))).* "
            "FROM member m, unnest($2::uuid[]) AS t (copy) WHERE m.dialog_id = $1",
            *(uuid.UUID(first), copies),
        )
    try:
        everything = {first, *map(str, copies)}
        begun, pages = await walk(nok, {})
        assert (begun.keys(), pages) == (everything, 2)
        assert all(each["dialog"] is not None for each in begun.values())
        # Who holds them all names them in order of their ids, and is told of what is new only.
        held = {dialog_id: each["last_seq"] for dialog_id, each in begun.items()}
        assert (await walk(nok, held))[0] == {}
        held[max(held)] -= 1
        news, _ = await walk(nok, held)
        assert news.keys() == {max(held)}
        # What is named is answered on every page, wherever it is.
        answer = await sync(nok, {max(held): held[max(held)]}, account_seq=1)
        assert max(held) in {each["dialog_id"] for each in answer["dialogs"]}
        assert len(answer["dialogs"]) == WATCHED_MAX + 1
    finally:
        async with world.app.begin() as tx:
            for table in ("member", "dialog"):
                await tx.conn.execute(f"DELETE FROM {table} WHERE dialog_id = ANY($1)", copies)


async def walk(person, held):
    """All pages, as a client does it that holds ``held``."""
    told, after, pages = {}, None, 0
    while True:
        behind = sorted(each for each in held if after is None or each > after)[:1000]
        answer = await sync(person, {each: held[each] for each in behind}, account_seq=1, after_dialog_id=after)
        for each in answer["dialogs"]:
            assert each["dialog_id"] not in told
            told[each["dialog_id"]] = each
        assert answer["gone"] == []
        pages += 1
        after = answer["more_after"]
        if after is None:
            return told, pages


async def test_dialogs_of_one_answer_are_told_apart(world):
    nok, ari = await world.person(), await world.person()
    dialogs = [await world.group(nok, ari) for _ in range(3)]
    start = {each: (await ari.dialog(each))["last_seq"] for each in dialogs}
    for n, dialog_id in enumerate(dialogs):
        for turn in range(3):
            await nok.send(dialog_id, f"dialog {n} turn {turn}")
        content = {"type": "text", "text": f"dialog {n} edited"}
        await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}/messages/{start[dialog_id] + 1}", {"content": content})
    # The first is read from the beginning, the second is a message further, the third is not asked for beyond its end.
    asked = {dialogs[0]: start[dialogs[0]], dialogs[1]: start[dialogs[1]] + 1, dialogs[2]: start[dialogs[2]] + 90}
    answer = {each["dialog_id"]: each for each in (await sync(ari, asked, limit_per_dialog=3))["dialogs"]}
    assert [said(each) for each in answer[dialogs[0]]["events"]] == [
        "dialog 0 edited",
        "dialog 0 turn 1",
        "dialog 0 turn 2",
    ]
    assert answer[dialogs[0]]["has_more"]
    assert [said(each) for each in answer[dialogs[1]]["events"]] == [
        "dialog 1 turn 1",
        "dialog 1 turn 2",
        "dialog 1 edited",
    ]
    assert not answer[dialogs[1]]["has_more"]
    assert (answer[dialogs[2]]["too_old"], answer[dialogs[2]]["events"]) == (True, [])


def said(event):
    return event["message"]["content"]["text"]
