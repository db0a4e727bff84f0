"""Badges count what some list shows, and nothing else; what changes them is told."""

import pytest

from testkit.wait import eventually


@pytest.fixture
async def pair(world):
    one, other = await world.person("One"), await world.person("Other")
    return one, other, await world.group(one, other, kind="direct")


async def read(person, dialog_id):
    last = (await person.dialog(dialog_id))["last_seq"]
    await person.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": last})


async def badge(person, *dialog_ids):
    """Everything that counts: over all dialogs, and in each of them by its page, the list and the cursor."""
    total = await person.ok("GET", "/v1/dialogs/unread-count")
    listed = {each["dialog_id"]: each["me"] for each in (await person.ok("GET", "/v1/dialogs"))["items"]}
    counts = []
    for dialog_id in dialog_ids or listed:
        cursor = await person.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {})
        shown = [
            (each["unread"], each["mentions"])
            for each in ((await person.dialog(dialog_id))["me"], listed[dialog_id], cursor)
        ]
        assert len(set(shown)) == 1, shown
        counts.append(shown[0])
    assert (total["unread"], total["mentions"]) == tuple(map(sum, zip(*counts, strict=True)))
    return total["unread"], total["mentions"], total["dialogs"]


async def test_what_is_no_message_to_be_read_makes_no_badge(pair):
    one, other, dialog_id = pair
    path = f"/v1/dialogs/{dialog_id}/messages"
    await read(other, dialog_id)
    own = await other.send(dialog_id, "my own words")
    assert await badge(other) == (0, 0, 0)
    await one.ok("DELETE", f"{path}/{(await one.send(dialog_id, 'oops'))['seq']}")
    assert await badge(other) == (0, 0, 0)
    await one.ok("PUT", f"{path}/{own['seq']}/reactions/like")
    await one.ok("PUT", f"{path}/{own['seq']}/pin")
    assert await badge(other) == (0, 0, 0)
    await one.send(dialog_id, "something to read")
    assert await badge(other) == (1, 0, 1)
    await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": own["seq"]})
    assert await badge(other) == (1, 0, 1)
    await read(other, dialog_id)
    assert await badge(other) == (0, 0, 0)
    await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"marked_unread": True})
    assert await badge(other) == (0, 0, 1)


async def test_what_one_deleted_for_oneself_makes_no_badge(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    path = f"/v1/dialogs/{dialog_id}/messages"
    await read(other, dialog_id)
    called = await one.send(dialog_id, "you", mention_user_ids=[str(other.user_id)])
    own, plain = await other.send(dialog_id), await one.send(dialog_id)
    assert await badge(other) == (2, 1, 1)
    for sent, left in ((own, (2, 1, 1)), (called, (1, 0, 1)), (called, (1, 0, 1)), (plain, (0, 0, 0))):
        await other.ok("DELETE", f"{path}/{sent['seq']}?whom=me")
        assert await badge(other) == left
    # Deleted for all and for oneself, in either order, it is left out once.
    both = [await one.send(dialog_id) for _ in range(3)]
    await one.ok("DELETE", f"{path}/{both[0]['seq']}")
    for sent in both[:2]:
        await other.ok("DELETE", f"{path}/{sent['seq']}?whom=me")
    await one.ok("DELETE", f"{path}/{both[1]['seq']}")
    assert await badge(other) == (1, 0, 1)
    await read(other, dialog_id)
    assert await badge(other) == (0, 0, 0)


async def test_who_is_parted_by_a_block_makes_no_mention(world):
    owner, reader, blocked = [await world.person() for _ in range(3)]
    dialog_id = await world.group(owner, reader, blocked)
    await read(reader, dialog_id)
    for how in ({"mention_user_ids": [str(reader.user_id)]}, {"mention_all": True}, {"mention_roles": ["member"]}):
        await blocked.send(dialog_id, "hey", **how)
    assert await badge(reader) == (3, 3, 1)
    block = "INSERT INTO block VALUES ($1, $2, 1, true, now())"
    async with world.app.begin() as tx:
        await tx.conn.execute(block, reader.user_id, blocked.user_id)
    assert await badge(reader) == (3, 0, 1)
    await owner.send(dialog_id, "hello", mention_user_ids=[str(reader.user_id)], mention_all=True)
    assert await badge(reader) == (4, 1, 1)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE block SET active = false WHERE blocker_id = $1", reader.user_id)
    assert await badge(reader) == (4, 4, 1)


async def test_a_hidden_message_leaves_the_activity_too(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    named = await one.send(dialog_id, "you", mention_user_ids=[str(other.user_id)])
    called = await one.send(dialog_id, "all", mention_all=True)

    async def told():
        items = (await other.ok("GET", "/v1/activity"))["items"]
        return {each["seq"] for each in items if each["type"] == "mention"}

    async def both():
        return await told() == {named["seq"], called["seq"]}

    await eventually(both, timeout_s=20, what="two mentions")
    unread = (await other.ok("GET", "/v1/activity/unread-count"))["unread"]
    for sent in (named, called):
        await other.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}?whom=me")
    assert await told() == set()
    assert (await other.ok("GET", "/v1/activity/unread-count"))["unread"] == unread - 2
