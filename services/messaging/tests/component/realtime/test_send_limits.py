"""One limit of a sender and one of a dialog, whichever way and wherever the messages come in."""

import asyncio
import time
import uuid

import aiohttp
import pytest

from chassis.redis import RateLimiter, connect
from messaging.core.adapters.send_limit_cache import SendLimits, SendsLimitedError
from testkit.serving import Client
from testkit.wait import least_of_three

LIMITED = "messaging.message.sends_limited"


@pytest.fixture
def patience(monkeypatch):
    """An answer of Redis that comes late opens the limits; here it is waited for."""
    monkeypatch.setattr("messaging.core.adapters.send_limit_cache._ANSWER_S", 20.0)


async def post(node, person, dialog_id, body, headers=None):
    path, token = ("/v1/bot-api", None) if headers else ("/v1", person.token)
    async with aiohttp.ClientSession() as session:
        call = Client(session, node.base_url)
        return await call("POST", f"{path}/dialogs/{dialog_id}/messages", body, token=token, headers=headers)


@pytest.mark.usefixtures("patience")
async def test_a_senders_limit_is_one_for_http_and_sockets_of_all_nodes(world, sockets, node_of, message):
    nok, ari = await world.person(), await world.person()
    dialog_id, elsewhere = await world.group(nok, ari), await world.group(nok, ari)
    async with node_of(sends_per_minute=4) as here, node_of(sends_per_minute=4) as there:
        socket = await sockets.of(nok, base_url=there.base_url)
        for number in range(2):
            assert (await post(here, nok, dialog_id, message())).status == 201
            await socket.say("send", ref=f"r{number}", dialog_id=elsewhere, **message())
            await socket.until("sent", ref=f"r{number}")
        refused = await post(here, nok, dialog_id, message())
        assert (refused.status, refused.code) == (429, LIMITED)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        late = message()
        await socket.say("send", ref="late", dialog_id=elsewhere, **late)
        told = await socket.until("error", ref="late")
        assert (told["code"], told["client_message_id"]) == (LIMITED, late["client_message_id"])
        assert told["retry_after_s"] > 0
        assert told["context"] == {"of": "sender"}
        assert (await post(here, ari, dialog_id, message())).status == 201


@pytest.mark.usefixtures("patience")
async def test_a_dialogs_limit_is_one_for_people_sockets_and_bots(world, sockets, node_of, message):
    nok, ari = await world.person(), await world.person()
    name = {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Echo", "commands": []}
    bot = await nok.ok("POST", "/v1/bots", name)
    dialog_id = await world.group(nok, ari)
    await nok.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [bot["bot_id"]]})
    headers = {"Authorization": f"Bot {bot['token']}"}
    async with node_of(dialog_sends_per_minute=3) as node:
        socket = await sockets.of(ari, base_url=node.base_url)
        assert (await post(node, nok, dialog_id, message())).status == 201
        assert (await post(node, None, dialog_id, message(), headers)).status == 201
        await socket.say("send", ref="third", dialog_id=dialog_id, **message())
        await socket.until("sent", ref="third")
        answers = [
            await post(node, nok, dialog_id, message()),
            await post(node, None, dialog_id, message(), headers),
        ]
        assert [(each.status, each.code) for each in answers] == [(429, LIMITED)] * 2
        await socket.say("send", ref="fourth", dialog_id=dialog_id, **message())
        assert (await socket.until("error", ref="fourth"))["context"] == {"of": "dialog"}


@pytest.mark.usefixtures("patience")
async def test_who_may_not_write_takes_nothing_from_those_who_may(world, node_of, message):
    nok, stranger = await world.person(), await world.person()
    dialog_id = await world.group(nok, await world.person())
    async with node_of(dialog_sends_per_minute=2) as node:
        for _ in range(5):
            assert (await post(node, stranger, dialog_id, message())).status == 404
        assert [(await post(node, nok, dialog_id, message())).status for _ in range(3)] == [201, 201, 429]


@pytest.mark.usefixtures("patience")
async def test_many_at_once_get_exactly_the_limit(redis_url, monkeypatch):
    monkeypatch.setattr("messaging.core.adapters.send_limit_cache.WINDOW_S", 3600.0)  # which does not end meanwhile
    redis = connect(redis_url)
    limits = [SendLimits(RateLimiter(redis, prefix="test"), per_sender=500, per_dialog=10_000) for _ in range(3)]
    sender_id, dialog_id = uuid.uuid4(), uuid.uuid4()

    async def allowed(number):
        try:
            await limits[number % 3].spend(sender_id, dialog_id)
        except SendsLimitedError:
            return False
        return True

    rounds = [await asyncio.gather(*(allowed(number) for number in range(60))) for _ in range(20)]
    let_through = sum(map(sum, rounds))
    # What a node has taken ahead and not used is the others' loss, and no more than a fiftieth.
    assert 500 - 3 * 10 <= let_through <= 500
    await redis.aclose()


async def test_who_sends_much_seldom_asks(redis_url, monkeypatch):
    monkeypatch.setattr("chassis.limits._BUSY_S", 20.0)  # however slow this machine is, it is much
    redis = connect(redis_url)
    limiter = RateLimiter(redis, prefix="test")
    asked = 0
    take = limiter.take

    async def counted(wanted, window_s):
        nonlocal asked
        asked += 1
        return await take(wanted, window_s)

    limiter.take = counted
    limits = SendLimits(limiter, per_sender=100_000, per_dialog=100_000)
    sender_id, dialog_id = uuid.uuid4(), uuid.uuid4()
    for _ in range(5_000):
        await limits.spend(sender_id, dialog_id)
    assert asked <= 20
    await redis.aclose()


async def test_without_redis_everything_is_let_through_at_once():
    redis = connect("redis://127.0.0.1:1/0")

    async def spent_after_s():
        limits = SendLimits(RateLimiter(redis, prefix="messaging:limits"), per_sender=1, per_dialog=1)
        sender_id, dialog_id = uuid.uuid4(), uuid.uuid4()
        begun = time.monotonic()
        for _ in range(500):
            await limits.spend(sender_id, dialog_id)
        return time.monotonic() - begun

    assert await least_of_three(spent_after_s) < 2
    await redis.aclose()


@pytest.mark.parametrize("answers_in_s", [5.0])
async def test_a_redis_that_hangs_holds_up_nobody_for_long(answers_in_s):
    class Hanging(RateLimiter):
        def __init__(self):
            pass

        async def take(self, wanted, window_s):
            await asyncio.sleep(answers_in_s)

    async def spent_after_s():
        limits = SendLimits(Hanging(), per_sender=1, per_dialog=1)
        begun = time.monotonic()
        for _ in range(10):
            await limits.spend(uuid.uuid4(), uuid.uuid4())
        return time.monotonic() - begun

    assert await least_of_three(spent_after_s) < 2
