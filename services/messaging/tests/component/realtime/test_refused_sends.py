"""Messages by socket that are refused as they are by HTTP."""

import uuid


async def test_what_one_cannot_see_is_not_forwarded_by_socket(world, sockets):
    nok, ari, stranger = [await world.person() for _ in range(3)]
    secret, mine = await world.group(nok, ari), await world.group(stranger, ari)
    seq = (await nok.send(secret, "between us"))["seq"]
    socket = await sockets.of(stranger)
    for ref, source in (("foreign", {"dialog_id": secret, "seq": seq}), ("none", {"dialog_id": mine, "seq": 99})):
        body = {"client_message_id": str(uuid.uuid4()), "forward_from": source}
        await socket.say("send", ref=ref, dialog_id=mine, **body)
        told = await socket.until("error", ref=ref)
        assert (told["code"], told["client_message_id"]) == (
            "messaging.message.not_found",
            body["client_message_id"],
        )
    assert await ari.messages(mine) == []


async def test_too_many_mentions_are_refused_and_ten_thousand_end_the_connection(world, sockets, message):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    socket = await sockets.of(nok)
    many = [str(uuid.uuid4()) for _ in range(10_000)]
    await socket.say("send", ref="many", dialog_id=dialog_id, **message(), mention_user_ids=many[:1_500])
    refused = await socket.until("error", ref="many")
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("request.body.invalid", "/mention_user_ids")
    await socket.say("send", ref="more", dialog_id=dialog_id, **message(), mention_user_ids=many)
    assert await socket.close_code() == 4413
    assert await ari.messages(dialog_id) == []
