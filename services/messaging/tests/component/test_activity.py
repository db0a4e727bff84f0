"""The activity feed through the API."""

from uuid import UUID

from messaging.activity.usecases.note_messages import note_messages
from messaging.lifecycle.adapters.invariants import CHECKS
from testkit.wait import eventually


async def feed(person, **query):
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return (await person.ok("GET", f"/v1/activity?{asked}"))["items"]


async def kinds(person, **query):
    return [(each["type"], each["seq"]) for each in await feed(person, **query)]


async def unread(person):
    return (await person.ok("GET", "/v1/activity/unread-count"))["unread"]


async def settled(person, wanted):
    async def look():
        return await kinds(person) == wanted or None

    await eventually(look, timeout_s=20, what=f"the feed to be {wanted}")


async def quiet(world, *people):
    """A dialog whose invitations were read and are out of the way."""
    dialog_id = await world.group(*people)
    for each in people[1:]:
        await eventually(lambda each=each: unread(each), timeout_s=20)
        await each.ok("POST", "/v1/activity/read", {"up_to": "2099-01-01T00:00:00Z"})
    return dialog_id


async def test_each_kind_concerns_the_right_person_once(world):
    nok, budi = await world.person("Nok"), await world.person("Budi")
    dialog_id = await world.group(nok, budi)
    first = await nok.send(dialog_id, "hello")
    reply = await budi.send(dialog_id, "hi", reply_to_seq=first["seq"], mention_user_ids=[str(nok.user_id)])
    answer = await budi.send(dialog_id, "again", reply_to_seq=first["seq"])
    await budi.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}/reactions/👍")
    await settled(nok, [("reaction", first["seq"]), ("reply", answer["seq"]), ("mention", reply["seq"])])
    await settled(budi, [("invite", None)])
    assert [each["actor"]["display_name"] for each in await feed(nok)] == ["Budi"] * 3
    assert (await feed(nok, type="reaction"))[0]["payload"] == {"emoji": "👍"}
    assert await unread(nok) == 3


async def test_what_is_taken_back_is_gone_from_the_feed(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    first = await nok.send(dialog_id, "hello")
    said = await budi.send(dialog_id, "hi", mention_user_ids=[str(nok.user_id)])
    await budi.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}/reactions/👍")
    await settled(nok, [("reaction", first["seq"]), ("mention", said["seq"])])
    await budi.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}/reactions/👍")
    await budi.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{said['seq']}?whom=all")
    await settled(nok, [])


async def test_a_call_for_all_is_one_row_and_everybody_has_it_unread_by_themselves(world):
    nok, budi, som = await world.person(), await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi, som)
    called = await nok.send(dialog_id, "everybody!", mention_all=True)
    for each in (budi, som):
        await eventually(lambda each=each: unread(each), timeout_s=20)
    async with world.app.database.read() as conn:
        rows = await conn.fetchval("SELECT count(*) FROM activity_for_all WHERE dialog_id = $1::text::uuid", dialog_id)
    assert rows == 1
    assert await unread(nok) == 0
    [there] = await feed(budi, unread="true")
    assert (there["seq"], there["payload"]) == (called["seq"], {"target": "@all"})
    marked = await budi.ok("POST", "/v1/activity/read", {"activity_ids": [there["activity_id"]]})
    assert marked == {"marked": 1}
    assert [await unread(each) for each in (budi, som)] == [0, 1]
    assert [each["read"] for each in await feed(budi, type="mention")] == [True]
    assert (await som.ok("POST", "/v1/activity/read", {"up_to": there["created_at"]}))["marked"] == 1
    assert await unread(som) == 0


async def test_levels_and_blocks_are_honoured(world):
    nok, budi, som = await world.person(), await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi, som)
    first = await budi.send(dialog_id, "hello")
    for person, level in ((budi, "mentions"), (som, "none")):
        await person.ok("PATCH", f"/v1/dialogs/{dialog_id}/settings", {"notification_level": level})
    await nok.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}/reactions/👍")
    both = [str(budi.user_id), str(som.user_id)]
    said = await nok.send(dialog_id, "you two", mention_user_ids=both)
    await eventually(lambda: unread(budi), timeout_s=20)
    assert await kinds(budi, unread="true") == [("mention", said["seq"])]
    assert await kinds(som, unread="true") == []
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "INSERT INTO block (blocker_id, blocked_id, version, active, changed_at) VALUES ($1, $2, 1, true, now())",
            budi.user_id,
            nok.user_id,
        )
    await nok.send(dialog_id, "blocked", mention_user_ids=both)
    later = await som.send(dialog_id, "not blocked", mention_user_ids=[str(budi.user_id)])
    await eventually(lambda: _has(budi, later["seq"]), timeout_s=20)
    assert await kinds(budi, unread="true") == [("mention", later["seq"])]


async def _has(person, seq):
    return any(each["seq"] == seq for each in await feed(person, unread="true"))


async def test_who_left_sees_nothing_of_the_dialog_any_more(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    await nok.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)])
    await eventually(lambda: unread(budi), timeout_s=20)
    await budi.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{budi.user_id}")
    assert await feed(budi) == []


async def test_pages_are_whole_and_ids_of_others_are_passed_over(world):
    nok, budi, som = await world.person(), await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    seqs = [(await nok.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)]))["seq"] for _ in range(5)]
    await eventually(lambda: _has(budi, seqs[-1]), timeout_s=20)
    seen, cursor = [], ""
    while True:
        page = await budi.ok("GET", f"/v1/activity?limit=2&type=mention{cursor}")
        seen += [each["seq"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == seqs[::-1]
    ids = [each["activity_id"] for each in await feed(budi)]
    assert (await som.ok("POST", "/v1/activity/read", {"activity_ids": ids}))["marked"] == 0
    assert await unread(budi) == 5
    assert (await som.do("POST", "/v1/activity/read", {})).status == 422


async def test_who_comes_back_sees_nothing_of_messages_from_before_their_time(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    path = f"/v1/dialogs/{dialog_id}"
    mine = await budi.send(dialog_id, "hello")
    called = await nok.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)])
    await nok.ok("PUT", f"{path}/messages/{mine['seq']}/reactions/👍")
    shown = [("reaction", mine["seq"]), ("mention", called["seq"])]
    await settled_unread(budi, shown)
    await budi.ok("DELETE", f"{path}/members/{budi.user_id}")
    await nok.ok("POST", f"{path}/members", {"user_ids": [str(budi.user_id)]})
    # All of the history is for newcomers: then it is shown again.
    await settled_unread(budi, [("invite", None), *shown])
    await nok.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": "*"})
    assert await kinds(budi, unread="true") == [("invite", None)]
    assert await unread(budi) == 1
    assert await budi.refused("GET", f"{path}/messages/{mine['seq']}/seen-by") == "messaging.message.not_found"
    # A reaction to what they do not see any more makes no row; one to what they see does.
    await nok.ok("PUT", f"{path}/messages/{mine['seq']}/reactions/❤️")
    await nok.ok("DELETE", f"{path}/messages/{mine['seq']}/reactions/👍")
    later = await budi.send(dialog_id, "back")
    await nok.ok("PUT", f"{path}/messages/{later['seq']}/reactions/👍")
    await settled_unread(budi, [("reaction", later["seq"]), ("invite", None)])
    assert await unread(budi) == 2


async def test_what_happens_to_a_message_from_before_ones_time_makes_no_row(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    path = f"/v1/dialogs/{dialog_id}"
    await nok.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": "*"})
    mine = await budi.send(dialog_id, "hello")
    await budi.ok("DELETE", f"{path}/members/{budi.user_id}")
    await nok.ok("POST", f"{path}/members", {"user_ids": [str(budi.user_id)]})
    await nok.ok("PUT", f"{path}/messages/{mine['seq']}/reactions/👍")
    later = await budi.send(dialog_id, "back")
    await nok.ok("PUT", f"{path}/messages/{later['seq']}/reactions/👍")
    await settled_unread(budi, [("reaction", later["seq"]), ("invite", None)])
    async with world.app.database.read() as conn:
        rows = await conn.fetch("SELECT seq FROM activity WHERE user_id = $1 AND type = 'reaction'", budi.user_id)
    assert [row["seq"] for row in rows] == [later["seq"]]


async def test_nothing_of_messages_that_are_kept_no_longer_is_shown(world):
    """They are hidden at once; their rows are deleted later."""
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    for_all = await nok.send(dialog_id, "everybody!", mention_all=True)
    called = await nok.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)])
    await settled_unread(budi, [("mention", called["seq"]), ("mention", for_all["seq"])])
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE dialog SET oldest_seq = last_seq + 1 WHERE dialog_id = $1", UUID(dialog_id))
    assert await kinds(budi, unread="true") == []
    assert await unread(budi) == 0


async def settled_unread(person, wanted):
    async def look():
        return await kinds(person, unread="true") == wanted or None

    await eventually(look, timeout_s=20, what=f"the unread of the feed to be {wanted}")


async def block(world, blocker, blocked):
    async with world.app.begin() as tx:
        await tx.conn.execute("INSERT INTO block VALUES ($1, $2, 1, true, now())", blocker.user_id, blocked.user_id)


async def test_nothing_of_somebody_is_shown_once_one_blocks_the_other(world):
    nok, budi, som = await world.person(), await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi, som)
    mine = await budi.send(dialog_id, "hello")
    for each in (nok, som):
        await each.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)])
        await each.send(dialog_id, "yes", reply_to_seq=mine["seq"])
        await each.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{mine['seq']}/reactions/👍")

    async def noted():
        return await unread(budi) == 6

    await eventually(noted, timeout_s=20, what="all six")
    await block(world, budi, nok)
    assert {each["actor"]["user_id"] for each in await feed(budi, unread="true")} == {str(som.user_id)}
    assert await unread(budi) == 3
    await block(world, som, budi)
    assert (await feed(budi, unread="true"), await unread(budi)) == ([], 0)


async def test_a_moment_before_all_of_them_marks_nothing(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    await nok.send(dialog_id, "you", mention_user_ids=[str(budi.user_id)])
    await eventually(lambda: unread(budi), timeout_s=20)
    for up_to in ("1969-12-31T00:00:00Z", "0001-01-02T00:00:00Z"):
        assert await budi.refused("POST", "/v1/activity/read", {"up_to": up_to}) == "request.body.invalid"
    assert (await budi.ok("POST", "/v1/activity/read", {"up_to": "1970-01-01T00:00:00Z"}))["marked"] == 0
    await nok.send(dialog_id, "you again", mention_user_ids=[str(budi.user_id)])

    async def both():
        return await unread(budi) == 2

    await eventually(both, timeout_s=20, what="both unread")


async def test_however_many_ways_a_message_concerns_somebody_it_is_one_row(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await quiet(world, nok, budi)
    mine = await budi.send(dialog_id, "hello")
    every_way = {
        "mention_all": True,
        "mention_roles": ["member"],
        "mention_user_ids": [str(budi.user_id)],
        "reply_to_seq": mine["seq"],
    }
    ways = [
        every_way,
        {"mention_all": True, "reply_to_seq": mine["seq"]},
        {"mention_all": True, "mention_roles": ["member"]},
    ]
    seqs = [(await nok.send(dialog_id, "you", **way))["seq"] for way in ways]
    await settled_unread(budi, [("mention", seq) for seq in reversed(seqs)])
    assert await unread(budi) == 3
    for_all = (await feed(budi, unread="true"))[0]
    assert (await budi.ok("POST", "/v1/activity/read", {"activity_ids": [for_all["activity_id"]]}))["marked"] == 1
    async with world.app.begin() as tx:
        await note_messages([(UUID(dialog_id), seq) for seq in seqs], tx)
    await settled_unread(budi, [("mention", seq) for seq in reversed(seqs[:2])])
    async with world.app.database.read() as conn:
        assert await broken(conn, dialog_id) == 0
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "INSERT INTO activity SELECT (jsonb_populate_record(a, jsonb_build_object('dedupe_key', 'twice', "
            "'activity_id', gen_random_uuid()))).* FROM activity a WHERE user_id = $1 AND seq = $2",
            *(budi.user_id, seqs[0]),
        )
    async with world.app.database.read() as conn:
        assert await broken(conn, dialog_id) == 1
    async with world.app.begin() as tx:
        await tx.conn.execute("DELETE FROM activity WHERE user_id = $1 AND dedupe_key = 'twice'", budi.user_id)


async def broken(conn, dialog_id):
    """How often the audit's check finds this dialog; a probe that finds nothing must be able to."""
    [check] = [each for each in CHECKS if each.invariant == "ACT-1"]
    sample = "WITH sample AS (SELECT dialog_id, oldest_seq FROM dialog WHERE dialog_id = $1) "
    return len(await conn.fetch(sample + check.sql, UUID(dialog_id)))
