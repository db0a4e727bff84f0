"""A stream with damaged rows in it is given without a hole, and goes on live."""

import uuid

import pytest


@pytest.fixture(scope="module")
def world(own_world):
    return own_world


async def test_what_is_damaged_keeps_its_place_and_the_stream_goes_on(world, sockets):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    damaged = (await nok.send(dialog_id, "damaged"))["seq"]
    whole = (await nok.send(dialog_id, "whole"))["seq"]
    place = uuid.UUID(dialog_id)
    async with world.app.database.begin() as conn:
        await conn.execute("UPDATE message SET content = '\x01' WHERE dialog_id = $1 AND seq = $2", place, damaged)
        await conn.execute("UPDATE change SET payload = '[1]' WHERE dialog_id = $1", place)
        await conn.execute("UPDATE account_change SET payload = '[1]' WHERE user_id = $1", ari.user_id)
    socket = await sockets.of(ari, resume={"dialogs": {dialog_id: 0}, "account_seq": 0})
    await socket.until("resumed")
    live = (await nok.send(dialog_id, "live"))["seq"]
    await socket.reaches(dialog_id, live)
    stored = [each for each in socket.frames if each.get("dialog_id") == dialog_id and "at" in each and "seq" in each]
    assert [each["seq"] for each in stored] == list(range(1, live + 1))
    assert {each["type"] for each in stored[: damaged - 1]} == {"event.unreadable"}
    assert [each["message"]["content"] and each["message"]["content"]["text"] for each in stored[damaged - 1 :]] == [
        None,
        "whole",
        "live",
    ]
    assert (await socket.until("event.unreadable", account_seq=1))["account_seq"] == 1
    assert whole == damaged + 1
