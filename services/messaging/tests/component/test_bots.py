"""Bots: tokens, what they hear, long polls, webhooks that are signed and repeated."""

import asyncio
import hashlib
import hmac
import uuid
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web

from kernel.clock import SystemClock
from messaging.bots.adapters import bot_store
from messaging.bots.adapters.update_reads import UpdateReads, channel
from messaging.bots.adapters.webhook_gateway import Webhooks, signature
from messaging.bots.domain.bot import WebhookUrlInvalidError
from messaging.bots.entrypoints.jobs import bot_updates
from messaging.bots.usecases.set_webhook import SetWebhook, set_webhook
from messaging_testing.fakes_bots import BOT, OWNER, FakeBots, FakeBotsTx, a_bot
from outgoing import PUBLIC
from sampan.commerce.v1.shop_pb2 import ShopOpened
from testkit.wait import eventually


class BotClient:
    """A bot's own program."""

    def __init__(self, call, token):
        self.call, self.headers = call, {"Authorization": f"Bot {token}"}

    async def updates(self, after=0, wait_s=0.0):
        answer = await self.call("GET", f"/v1/bot-api/updates?after={after}&wait_s={wait_s}", headers=self.headers)
        assert answer.status == 200, answer.content
        return answer.json["items"]

    async def say(self, dialog_id, text, client_message_id=None):
        body = {
            "client_message_id": str(client_message_id or uuid.uuid4()),
            "content": {"type": "text", "text": text},
        }
        return await self.call("POST", f"/v1/bot-api/dialogs/{dialog_id}/messages", body, headers=self.headers)


async def make_bot(world, owner):
    body = {
        "username": f"b{uuid.uuid4().hex[:12]}_bot",
        "display_name": "Echo",
        "commands": [{"command": "help", "description": "What I can do"}],
    }
    made = await owner.ok("POST", "/v1/bots", body)
    return made, BotClient(world.call, made["token"])


def texts(updates):
    return [each["event"]["message"]["content"]["text"] for each in updates if each["event"]["type"] == "message.new"]


async def test_an_echo_bot_answers_each_message_once(world):
    owner, person = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    dialog = await person.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]})
    assert dialog["peer"]["is_bot"]
    dialog_id, seen, after = dialog["dialog_id"], [], 0
    for words in ("one", "two", "three"):
        await person.send(dialog_id, words)
    while len(texts(seen)) < 3:
        for update in await bot.updates(after, wait_s=5):
            seen.append(update)
            after = update["update_id"]
            if update["event"]["type"] == "message.new":
                said = update["event"]["message"]
                # The bot may die here and do it again: the id it derives makes that harmless.
                for _ in range(2):
                    reply_id = uuid.uuid5(uuid.UUID(dialog_id), str(said["seq"]))
                    await bot.say(dialog_id, said["content"]["text"] + "!", reply_id)
    assert texts(seen) == ["one", "two", "three"]
    assert [each["update_id"] for each in seen] == list(range(1, len(seen) + 1))
    said = [each["content"]["text"] for each in await person.messages(dialog_id) if each["sender_id"] == made["bot_id"]]
    assert said == ["one!", "two!", "three!"]
    await asyncio.sleep(0.7)
    assert await bot.updates(after) == []  # not its own words


async def test_in_a_group_a_bot_hears_only_what_is_meant_for_it(world):
    owner, person = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    dialog_id = await world.group(owner, person)
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [made["bot_id"]]})
    await person.send(dialog_id, "between us")
    await person.send(dialog_id, "/help")
    await person.send(dialog_id, "you there", mention_user_ids=[made["bot_id"]])
    said = (await bot.say(dialog_id, "here")).json
    await person.send(dialog_id, "thanks", reply_to_seq=said["seq"])
    await person.send(dialog_id, "in your thread", thread_seq=said["seq"])
    await person.send(dialog_id, "bye", reply_to_seq=None)
    await person.send(dialog_id, "/end")

    async def heard():
        found = texts(await bot.updates())
        return found if found[-1:] == ["/end"] else None

    expected = ["/help", "you there", "thanks", "in your thread", "/end"]
    assert await eventually(heard, timeout_s=10, what="all updates") == expected


async def test_tokens(world):
    owner, other = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    assert (await bot.updates()) == []
    for headers in ({}, {"Authorization": "Bot nonsense"}, {"Authorization": f"Bearer {made['token']}"}):
        answer = await world.call("GET", "/v1/bot-api/updates", headers=headers)
        assert (answer.status, answer.code) == (401, "messaging.bot.token_invalid")
    for scheme in ("bot", "BOT"):  # a scheme has no case
        headers = {"Authorization": f"{scheme} {made['token']}"}
        assert (await world.call("GET", "/v1/bot-api/updates", headers=headers)).status == 200
    path = f"/v1/bots/{made['bot_id']}"
    for method, rest, body in (
        ("DELETE", "", None),
        ("POST", "/token", {}),
        ("PUT", "/webhook", {"url": "https://a.example"}),
    ):
        assert await other.refused(method, path + rest, body) == "messaging.bot.not_found"
    fresh = BotClient(world.call, (await owner.ok("POST", f"{path}/token", {}))["token"])
    assert await fresh.updates() == []
    assert (await bot.say(uuid.uuid4(), "x")).status == 401
    [listed] = (await owner.ok("GET", "/v1/bots"))["items"]
    assert "token" not in listed
    assert (await other.ok("GET", path))["commands"][0]["command"] == "help"
    await owner.ok("DELETE", path)
    assert (await fresh.say(uuid.uuid4(), "x")).status == 401
    body = {"username": made["username"], "display_name": "Again"}
    assert await other.refused("POST", "/v1/bots", body) == "messaging.bot.username_taken"


@pytest.mark.parametrize("change", ["token", "webhook", "end", None])
async def test_a_held_question_is_judged_again_before_it_is_answered(world, monkeypatch, change):
    owner = await world.person()
    made, bot = await make_bot(world, owner)
    path = f"/v1/bots/{made['bot_id']}"
    dialog_id = (await owner.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    after = (await bot.updates(wait_s=10))[-1]["update_id"]
    asked, real = asyncio.Event(), UpdateReads.next_after

    async def asks(*args):
        found = await real(*args)
        asked.set()
        return found

    monkeypatch.setattr(UpdateReads, "next_after", asks)
    query = f"/v1/bot-api/updates?after={after}&wait_s=10"
    held = asyncio.create_task(world.call("GET", query, headers=bot.headers))
    await asyncio.wait_for(asked.wait(), 20)
    if change == "token":
        await owner.ok("POST", f"{path}/token", {})
    elif change == "webhook":
        await owner.ok("PUT", f"{path}/webhook", {"url": "http://127.0.0.1:1/hook"})
    elif change == "end":
        await owner.ok("DELETE", path)
    if change == "end":
        await world.app.hints.publish(channel(uuid.UUID(made["bot_id"])))
    else:
        await owner.send(dialog_id, "after the change")
    answer = await held
    refusals = {"token": (401, "messaging.bot.token_invalid"), "webhook": (409, "messaging.bot.webhook_set")}
    if change is None:
        assert texts(answer.json["items"]) == ["after the change"]
    else:
        assert (answer.status, answer.code) == refusals.get(change, refusals["token"])
        assert "after the change" not in str(answer.content)


@asynccontextmanager
async def receiver():
    """Somebody's server that can misbehave."""
    calls, behave = [], {"status": 200, "answers": asyncio.Event()}
    behave["answers"].set()

    async def take(request):
        body = await request.read()
        calls.append((dict(request.headers), body))
        answer = web.Response(status=behave["status"])
        await behave["answers"].wait()
        return answer

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", calls, behave
    finally:
        behave["answers"].set()
        await runner.cleanup()


async def test_a_webhook_is_signed_and_repeated_until_it_is_taken_in_order(world):
    owner, person = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    dialog_id = (await person.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    async with receiver() as (url, calls, behave):
        behave["status"] = 500
        secret = (await owner.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": url}))["secret"]
        assert (await world.call("GET", "/v1/bot-api/updates", headers=bot.headers)).code == "messaging.bot.webhook_set"
        await person.send(dialog_id, "one")
        await person.send(dialog_id, "two")
        await eventually(lambda: len(calls) >= 2, timeout_s=15, what="two attempts")
        assert (await owner.ok("GET", "/v1/bots"))["items"][0]["failures"] >= 1
        behave["status"] = 204
        failed = len(calls)

        async def taken():
            return (await owner.ok("GET", "/v1/bots"))["items"][0]["failures"] == 0 and len(calls) > failed

        await eventually(taken, timeout_s=20, what="the webhook is taken")
        told = [
            update["event"]["message"]["content"]["text"]
            for _, body in calls[failed:]
            for update in orjson.loads(body)["updates"]
            if update["event"]["type"] == "message.new"
        ]
        assert told == ["one", "two"]
        headers, body = calls[-1]
        unix_s = int(headers["X-Sampan-Signature"].split(",")[0].removeprefix("t="))
        assert headers["X-Sampan-Signature"] == signature(secret, body, unix_s)
        mac = hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256).hexdigest()
        assert headers["X-Sampan-Signature"].endswith(mac)
        await owner.ok("DELETE", f"/v1/bots/{made['bot_id']}/webhook")
        assert await bot.updates() == []


async def test_the_webhook_of_a_bot_that_ended_is_not_called_again(world):
    """What waited for it is gone too: a receiver that was away learns nothing after the end."""
    owner, person = await world.person(), await world.person()
    made, _ = await make_bot(world, owner)
    other, _ = await make_bot(world, owner)
    async with receiver() as (url, calls, behave), receiver() as (other_url, other_calls, _):
        behave["status"] = 500
        for bot, hook in ((made, url), (other, other_url)):
            await owner.ok("PUT", f"/v1/bots/{bot['bot_id']}/webhook", {"url": hook})
            dialog = await person.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [bot["bot_id"]]})
            bot["dialog_id"] = dialog["dialog_id"]
        await person.send(made["dialog_id"], "waits to be told")
        await eventually(lambda: calls, timeout_s=15, what="the first attempt")
        await owner.ok("DELETE", f"/v1/bots/{made['bot_id']}")
        behave["status"] = 200
        told = len(calls)
        await person.send(other["dialog_id"], "marker")
        await eventually(lambda: other_calls, timeout_s=15, what="the other bot is told")
        await asyncio.sleep(2)  # a repetition would be due by now
        assert len(calls) <= told + 1  # one may have been on its way
        await owner.ok("DELETE", f"/v1/bots/{other['bot_id']}")


async def test_a_receiver_that_hangs_delays_nobody_elses_updates(world):
    owner, person = await world.person(), await world.person()
    slow, _ = await make_bot(world, owner)
    quick, _ = await make_bot(world, owner)
    async with receiver() as (slow_url, slow_calls, behave), receiver() as (quick_url, calls, _):
        behave["answers"].clear()
        for made, url in ((slow, slow_url), (quick, quick_url)):
            await owner.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": url})
            dialog = await person.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]})
            made["dialog_id"] = dialog["dialog_id"]
        await person.send(slow["dialog_id"], "hang")
        await eventually(lambda: slow_calls, timeout_s=10, what="the slow one is asked")
        heard = len(calls)
        await person.send(quick["dialog_id"], "quick")
        await eventually(lambda: len(calls) > heard, timeout_s=20, what="the other bot hears")
        failures = {each["bot_id"]: each["failures"] for each in (await owner.ok("GET", "/v1/bots"))["items"]}
        assert failures[slow["bot_id"]] == 0  # its answer is still waited for
        for made in (slow, quick):
            await owner.ok("DELETE", f"/v1/bots/{made['bot_id']}/webhook")


async def test_a_bot_goes_on_past_what_is_gone(world):
    owner, person = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    dialog_id = (await person.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    for number in range(4):
        await person.send(dialog_id, f"message {number}")

    async def all_heard():
        waiting = await bot.updates()
        return waiting if len(texts(waiting)) == 4 else None

    last_seq = (await eventually(all_heard, timeout_s=20, what="the bot hears all"))[-1]["event"]["seq"]
    async with world.app.database.begin() as conn:
        await conn.execute("UPDATE dialog SET oldest_seq = $2 WHERE dialog_id = $1", uuid.UUID(dialog_id), last_seq)
    found = (await world.call("GET", "/v1/bot-api/updates?limit=1", headers=bot.headers)).json["items"]
    assert [each["event"]["seq"] for each in found] == [last_seq]


async def admin_bot(world, owner):
    """A bot that hears all of a group in which something was said and edited, and has not asked yet."""
    made, bot = await make_bot(world, owner)
    dialog_id = await world.group(owner)
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("POST", f"{path}/members", {"user_ids": [made["bot_id"]]})
    await owner.ok("PATCH", f"{path}/members/{made['bot_id']}", {"role": "admin"})
    message = f"{path}/messages/{(await owner.send(dialog_id, 'said while it was in'))['seq']}"
    await owner.ok("PATCH", message, {"content": {"type": "text", "text": "edited while it was in"}})

    async def waits():
        async with world.app.database.read() as conn:
            sql = (
                "SELECT count(*) FROM bot_update u JOIN change c USING (dialog_id, seq) "
                "WHERE bot_id = $1 AND c.type = 'message.edited'"
            )
            return await conn.fetchval(sql, uuid.UUID(made["bot_id"]))

    await eventually(waits, timeout_s=20, what="the edit waits to be told")
    return made, bot, path, message


async def put_out(owner, path, bot_id, how):
    method, rest = ("PUT", "bans") if how == "banned" else ("DELETE", "members")
    await owner.ok(method, f"{path}/{rest}/{bot_id}")


async def test_a_hint_that_brings_nothing_does_not_end_the_wait(world):
    """Of an update that is withdrawn, say, or one that was read before its hint came."""
    owner = await world.person()
    made, bot, path, _ = await admin_bot(world, owner)
    read = await bot.updates()
    waiting = asyncio.create_task(bot.updates(after=read[-1]["update_id"], wait_s=10))
    for _ in range(3):
        await asyncio.sleep(0.2)
        await world.app.hints.publish(channel(made["bot_id"]))
    assert not waiting.done()
    await owner.send(path.rpartition("/")[2], "/now")
    assert texts(await waiting) == ["/now"]


@pytest.mark.parametrize("how", ["removed", "banned"])
async def test_a_bot_that_was_put_out_is_told_nothing_that_waited(world, how):
    """What waits is shown as it is now: an edit that was made after the end would be read."""
    owner = await world.person()
    made, bot, path, message = await admin_bot(world, owner)
    assert "edited while it was in" in str(await bot.updates())
    await put_out(owner, path, made["bot_id"], how)
    await owner.ok("PATCH", message, {"content": {"type": "text", "text": "not for the bot"}})
    assert await bot.updates() == []
    # Where it still is, it goes on hearing.
    dialog_id = (await owner.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    await owner.send(dialog_id, "still there?")
    assert texts(await bot.updates(wait_s=10))[-1:] == ["still there?"]
    assert path.rpartition("/")[2] not in str(await bot.updates())


async def test_a_bot_that_came_back_is_told_what_is_for_whoever_comes_then(world):
    owner = await world.person()
    made, bot, path, _ = await admin_bot(world, owner)
    await owner.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": "*"})
    await put_out(owner, path, made["bot_id"], "removed")
    await owner.ok("POST", f"{path}/members", {"user_ids": [made["bot_id"]]})
    await owner.send(path.rpartition("/")[2], "/again")

    async def heard():
        found = await bot.updates()
        return found if texts(found)[-1:] == ["/again"] else None

    told = await eventually(heard, timeout_s=20, what="the command")
    assert "while it was in" not in str(told)


@pytest.mark.parametrize("how", ["removed", "banned"])
async def test_what_waited_for_a_bot_that_was_put_out_does_not_come_when_it_is_let_in_again(world, how):
    owner = await world.person()
    made, bot, path, _ = await admin_bot(world, owner)
    await put_out(owner, path, made["bot_id"], how)
    if how == "banned":
        await owner.ok("DELETE", f"{path}/bans/{made['bot_id']}")
    await owner.ok("POST", f"{path}/members", {"user_ids": [made["bot_id"]]})
    await owner.send(path.rpartition("/")[2], "/again")

    async def heard():
        found = await bot.updates()
        return found if texts(found)[-1:] == ["/again"] else None

    told = await eventually(heard, timeout_s=20, what="the command")
    assert "while it was in" not in str(told)


@pytest.mark.parametrize("protected", [True, False])
async def test_what_is_being_kept_for_a_bot_while_it_is_put_out_ends_too(world, monkeypatch, protected):
    """Found as a member, then put out, then what it hears is committed: it must not wait until the bot is back."""

    async def nothing(_put_off, _tx):
        return set()

    monkeypatch.setattr(bot_updates, "collect_updates", nothing)
    if not protected:
        unlocked = bot_store._LOCK_BACKLOGS.replace("FOR NO KEY UPDATE OF m SKIP LOCKED", "")
        monkeypatch.setattr(bot_store, "_LOCK_BACKLOGS", unlocked)
    owner = await world.person()
    made, _ = await make_bot(world, owner)
    bot_id, dialog_id = uuid.UUID(made["bot_id"]), await world.group(owner)
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("POST", f"{path}/members", {"user_ids": [made["bot_id"]]})
    seq = (await owner.send(dialog_id, "/help"))["seq"]

    async def put_out_or_waits():
        async with world.app.database.read() as conn:
            waits = (
                "SELECT EXISTS (SELECT FROM pg_stat_activity "
                "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0)"
            )
            return putting.done() or await conn.fetchval(waits)

    async with world.app.begin() as tx:
        behind = [each for each in await tx.bots.lock_backlogs(500) if each.bot_id == bot_id]
        putting = asyncio.create_task(put_out(owner, path, made["bot_id"], "removed"))
        await eventually(put_out_or_waits, timeout_s=20, what="the bot is out, or its end waits")
        await tx.bots.add_updates(behind[0], [seq], seq, tx.now)
    await putting
    async with world.app.database.begin() as conn:
        kept = await conn.fetchval("SELECT count(*) FROM bot_update WHERE bot_id = $1", bot_id)
    assert kept == (0 if protected else 1)


async def test_a_webhook_is_sent_nothing_of_where_the_bot_was_put_out(world):
    owner = await world.person()
    made, _, path, message = await admin_bot(world, owner)
    await put_out(owner, path, made["bot_id"], "removed")
    await owner.ok("PATCH", message, {"content": {"type": "text", "text": "not for the bot"}})
    async with receiver() as (url, calls, _):
        await owner.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": url})

        async def waits():
            async with world.app.database.read() as conn:
                sql = "SELECT count(*) FROM bot_update WHERE bot_id = $1"
                return await conn.fetchval(sql, uuid.UUID(made["bot_id"]))

        async def done():
            return not await waits()

        await eventually(done, timeout_s=20, what="what waited is done with")
        assert calls == []
        dialog = await owner.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]})
        await owner.send(dialog["dialog_id"], "still there?")
        await eventually(lambda: "still there?" in str(calls), timeout_s=20, what="the marker")
        assert "not for the bot" not in str(calls)
        await owner.ok("DELETE", f"/v1/bots/{made['bot_id']}/webhook")


async def test_a_command_is_there_once(world):
    owner = await world.person()
    twice = [{"command": "help", "description": each} for each in ("one", "other")]
    body = {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Echo", "commands": twice}
    answer = await owner.do("POST", "/v1/bots", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/commands")


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "https://user:pass@a.example", "https:///x", "https://a.example/#f", "http://[::1"]
)
async def test_urls_that_are_no_webhook(world, url):
    owner = await world.person()
    made, _ = await make_bot(world, owner)
    code = await owner.refused("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": url})
    assert code == "messaging.bot.webhook_url_invalid"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]", "１２７.0.0.1", "①②⑦。⓪。⓪。①"]
)
async def test_a_webhook_never_reaches_inside_in_production(host):
    """How each spelling is seen is the business of libs/outgoing; here, that webhooks go through it both times."""
    connections, tx = [], FakeBotsTx(bots=FakeBots({BOT: a_bot()}))

    async def on_connection(reader, writer):
        connections.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    url = f"https://{host}:{server.sockets[0].getsockname()[1]}/hook"
    inward, open_to_all = Webhooks(SystemClock(), local=False), Webhooks(SystemClock(), local=True)
    try:
        with pytest.raises(WebhookUrlInvalidError):
            await set_webhook(SetWebhook(owner_id=OWNER, bot_id=BOT, url=url, reach=PUBLIC), tx)
        assert not await inward.post(url, "secret", b"{}")
        assert connections == []
        if not host.startswith("["):  # nobody listens on the IPv6 form; the others do arrive when they may
            await open_to_all.post(url, "secret", b"{}")
            await eventually(lambda: connections, timeout_s=10, what="the same call under development's rules")
    finally:
        await inward.close()
        await open_to_all.close()
        server.close()


async def test_a_webhook_is_kept_as_it_will_be_called(world):
    owner = await world.person()
    made, _ = await make_bot(world, owner)
    await owner.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": "https://Bücher.example.com.:443/Hook"})
    [listed] = (await owner.ok("GET", "/v1/bots"))["items"]
    assert listed["webhook_url"] == "https://xn--bcher-kva.example.com/Hook"
    answer = await owner.do("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": "https://a:b@c.example.com/"})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/url")


async def test_a_dialog_with_a_shop_is_one_for_each_customer(world):
    owner, customer, shop_id = await world.person(), await world.person(), uuid.uuid4()
    shop = ShopOpened(
        shop_id=str(shop_id), owner_id=str(owner.user_id), name="Baan Khanom", country="TH", currency="THB"
    )
    await world.publish(shop, version=1)
    body = {"kind": "business", "shop_id": str(shop_id)}

    async def opened():
        answer = await customer.do("POST", "/v1/dialogs", body)
        return answer.json if answer.status < 300 else None

    dialog = await eventually(opened, timeout_s=15, what="the shop is known")
    assert dialog["title"] == "Baan Khanom"
    assert (await customer.ok("POST", "/v1/dialogs", body))["dialog_id"] == dialog["dialog_id"]
    assert await owner.refused("POST", "/v1/dialogs", body) == "messaging.dialog.shop_unknown"
    await customer.send(dialog["dialog_id"], "Is it fresh?")
    assert (await owner.dialog(dialog["dialog_id"]))["me"]["unread"] == 1


async def test_a_bot_that_was_left_says_nothing_more_until_it_is_started_again(world):
    owner, person = await world.person(), await world.person()
    made, bot = await make_bot(world, owner)
    wish = {"kind": "bot", "user_ids": [made["bot_id"]]}
    dialog_id = (await person.ok("POST", "/v1/dialogs", wish))["dialog_id"]
    path = f"/v1/dialogs/{dialog_id}"
    assert (await bot.say(dialog_id, "welcome")).status == 201
    await person.ok("DELETE", f"{path}/members/{person.user_id}")
    answer = await bot.say(dialog_id, "come back")
    assert (answer.status, answer.code) == (403, "messaging.dialog.unavailable")
    assert (await person.ok("GET", "/v1/dialogs"))["items"] == []
    assert await person.refused("GET", f"{path}/messages") == "messaging.dialog.not_found"
    again = await person.do("POST", "/v1/dialogs", wish)
    assert (again.status, again.json["dialog_id"]) == (200, dialog_id)
    assert again.json["member_count"] == 2
    assert (await bot.say(dialog_id, "welcome back")).status == 201
    said = [each["content"]["text"] for each in await person.messages(dialog_id)]
    assert said == ["welcome", "welcome back"]


async def test_other_dialogs_of_two_cannot_be_left(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other, kind="direct")
    code = await one.refused("DELETE", f"/v1/dialogs/{dialog_id}/members/{one.user_id}")
    assert code == "messaging.dialog.members_fixed"
