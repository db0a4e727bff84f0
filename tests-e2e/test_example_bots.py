"""The example bots of libs/chatclient as programs beside the stack: talked to, killed, lied to."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import people
import pytest

from testkit.client import ApiError
from testkit.ports import free_port
from testkit.wait import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
EXAMPLES = Path(__file__).resolve().parents[1] / "libs" / "chatclient" / "examples"


class Program:
    """A bot's process."""

    def __init__(self, name, *arguments, log, **environment):
        self.command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
        self.environment, self.log, self.process = {**os.environ, **environment}, log, None

    async def start(self):
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, env=self.environment, stdout=log, stderr=log
            )

    async def kill(self):
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running(program):
    await program.start()
    try:
        yield program
    finally:
        if program.process.returncode is None:
            await program.kill()


class Bot:
    """A bot as its owner has it, and the dialogs people have with it."""

    def __init__(self, api, owner, made):
        self.api, self.owner, self.bot_id, self.token = api, owner, made["bot_id"], made["token"]

    async def call(self, method, path, body=None):
        return await self.api.call(method, path, body, headers={"Authorization": f"Bot {self.token}"})

    async def waiting(self):
        """Texts that the bot was told and has not confirmed; asking with 0 confirms nothing."""
        items = (await self.call("GET", "/v1/bot-api/updates?after=0&limit=100"))["items"]
        events = [each["event"] for each in items if each["event"]["type"] == "message.new"]
        return [each["message"]["content"]["text"] for each in events]

    async def dialog_with(self, someone):
        return (await someone.post("/v1/dialogs", {"kind": "bot", "user_ids": [self.bot_id]}))["dialog_id"]

    async def said(self, someone, dialog_id):
        items = (await someone.get(f"/v1/dialogs/{dialog_id}/messages", limit=200))["items"]
        return [each["content"]["text"] for each in items if each["sender_id"] == self.bot_id]


async def make_bot(api):
    owner = await people.person(api, "Owner")
    body = {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Example", "commands": []}
    return Bot(api, owner, await owner.post("/v1/bots", body))


async def write(someone, dialog_id, content, client_message_id=None):
    content = content if isinstance(content, dict) else {"type": "text", "text": content}
    body = {"client_message_id": client_message_id or str(uuid.uuid4()), "content": content}
    return await someone.post(f"/v1/dialogs/{dialog_id}/messages", body)


class EchoBot:
    """A bot, somebody who wrote it many texts, and its program."""

    def __init__(self, stack, bot, someone, dialog_id, tmp_path):
        self.bot, self.someone, self.dialog_id = bot, someone, dialog_id
        log = tmp_path / f"{bot.bot_id}.log"
        self.program = Program("echo_bot", "--url", stack.gateway_url, log=log, SAMPAN_BOT_TOKEN=bot.token)
        self.texts = [f"สวัสดี {number} <b>👋</b>" for number in range(50)]

    async def hears(self, text):
        await write(self.someone, self.dialog_id, text)

    async def said(self):
        return await self.bot.said(self.someone, self.dialog_id)

    async def killed_at_work(self):
        """Whether the program's death came among its answers."""
        for text in self.texts:
            await self.hears(text)

        async def all_wait():
            return await self.bot.waiting() == self.texts

        await eventually(all_wait, timeout_s=60, what="the bot would be told all of them at once")
        async with running(self.program):
            await eventually(self.said, timeout_s=60, what="first answers")
        return await self.said() != self.texts


async def test_the_echo_bot_answers_each_text_once_through_kill_9(stack, api, tmp_path):
    for _ in range(5):  # on a busy machine the kill may come too late
        made, someone = await make_bot(api), await people.person(api, "Fern")
        echo = EchoBot(stack, made, someone, await made.dialog_with(someone), tmp_path)
        if await echo.killed_at_work():
            break
    answered = await echo.said()
    assert answered == echo.texts[: len(answered)] != echo.texts
    # It had answered, and had not come to say so: what it did is told again to the next one.
    assert await echo.bot.waiting() == echo.texts
    await echo.hears("while you were gone")
    async with running(echo.program) as program:

        async def all_are_answered():
            return await echo.said() == [*echo.texts, "while you were gone"]

        await eventually(all_are_answered, timeout_s=60, what="each once, in order")
        for command in ("/start", "/help", "/dance", "that is all"):
            await echo.hears(command)

        async def ended():
            return (await echo.said())[-1] == "that is all"

        await eventually(ended, timeout_s=60, what="answers to commands")
        hello, can, unknown = (await echo.said())[-4:-1]
        assert "Hello" in hello
        assert "/help" in can
        assert "do not know" in unknown
        assert len(await echo.said()) == len(echo.texts) + 5
        program.process.terminate()
        assert await asyncio.wait_for(program.process.wait(), 30) == 0


async def test_a_bot_with_a_bad_token_ends_and_says_why(stack, tmp_path):
    log = tmp_path / "echo.log"
    async with running(
        Program("echo_bot", "--url", stack.gateway_url, log=log, SAMPAN_BOT_TOKEN="nonsense")
    ) as program:
        assert await asyncio.wait_for(program.process.wait(), 60) == 1
    assert "messaging.bot.token_invalid" in log.read_text()


def signed(secret, body, at=None):
    sent_at = int(at or time.time())
    mac = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256)
    return {"X-Sampan-Signature": f"t={sent_at},v1={mac.hexdigest()}"}


async def order_bot(stack, bot, tmp_path):
    """The program, its webhook's URL and secret."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/updates"
    secret = (await bot.owner.put(f"/v1/bots/{bot.bot_id}/webhook", {"url": url}))["secret"]
    arguments = ("--url", stack.gateway_url, "--port", str(port), "--state", str(tmp_path / "orders.db"))
    secrets = {"SAMPAN_BOT_TOKEN": bot.token, "SAMPAN_WEBHOOK_SECRET": secret}
    return Program("order_status_bot", *arguments, log=tmp_path / "orders.log", **secrets), url, secret


async def paid_order(api):
    """The seller, the buyer and the order, once messaging knows that it is paid."""
    seller, _, variant_id = await people.shop_with_product(api, on_hand=5)
    buyer = await people.buyer_with(api, 1_000_00)
    checkout = await people.settled(buyer, await people.order(buyer, variant_id, 2))
    order_id = checkout["orders"][0]["order_id"]

    async def known():
        topics = (await buyer.get("/v1/dialogs", kind="topic"))["items"]
        [topic] = [each for each in topics if each["entity_id"] == order_id]
        return await card_status(buyer, topic["dialog_id"]) == "paid"

    await eventually(known, timeout_s=60, what="messaging knows the paid order")
    return seller, buyer, order_id


async def card_status(someone, dialog_id):
    items = (await someone.get(f"/v1/dialogs/{dialog_id}/messages"))["items"]
    return next(each["card"]["status"] for each in items if each["card"])


async def test_the_order_bot_tells_how_a_shown_order_stands(stack, api, tmp_path):
    seller, buyer, order_id = await paid_order(api)
    bot, stranger = await make_bot(api), await people.person(api, "Stranger")
    dialog_id, other_dialog_id = await bot.dialog_with(buyer), await bot.dialog_with(stranger)
    program, _, _ = await order_bot(stack, bot, tmp_path)

    async def next_answer(who, where, content):
        before = len(await bot.said(who, where))
        await write(who, where, content)

        async def answers():
            return (await bot.said(who, where))[before:]

        return (await eventually(answers, timeout_s=60, what=f"an answer to {content}"))[0]

    async with running(program):
        assert "/order" in await next_answer(buyer, dialog_id, "/help")
        assert "do not follow" in await next_answer(buyer, dialog_id, f"/order {order_id}")
        followed = await next_answer(buyer, dialog_id, {"type": "order", "order_id": order_id})
        assert "is paid. 2 × Teapot, THB 258.00." in followed
        assert "is paid." in await next_answer(buyer, dialog_id, f"/order {order_id}")

        # Killed, it misses nothing: the order moves on, and a question waits until it is there again.
        await program.kill()
        for status in ("processing", "shipped"):
            await seller.post(f"/v1/orders/{order_id}/fulfilment", {"status": status})

        async def card_is_shipped():
            return await card_status(buyer, dialog_id) == "shipped"

        await eventually(card_is_shipped, timeout_s=60, what="the card says shipped")
        before = await bot.said(buyer, dialog_id)
        await write(buyer, dialog_id, f"/order {order_id}")
        await program.start()

        async def told():
            return (await bot.said(buyer, dialog_id))[len(before) :]

        [answer] = await eventually(told, timeout_s=60, what="an answer after the restart")
        assert "is shipped." in answer

        # What was shown in one dialog is told in that dialog only, and the bot is no party of the order itself.
        assert "do not follow" in await next_answer(stranger, other_dialog_id, f"/order {order_id}")
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "order", "order_id": order_id}}
        with pytest.raises(ApiError) as refused:
            await bot.call("POST", f"/v1/bot-api/dialogs/{dialog_id}/messages", body)
        assert refused.value.code == "messaging.card.unknown"
        program.process.terminate()
        assert await asyncio.wait_for(program.process.wait(), 30) == 0


async def test_the_order_bot_refuses_a_forged_webhook(stack, api, tmp_path):
    bot, someone = await make_bot(api), await people.person(api, "Fern")
    dialog_id = await bot.dialog_with(someone)
    program, url, secret = await order_bot(stack, bot, tmp_path)
    asked = await write(someone, dialog_id, "nothing that needs an answer")
    message = {"dialog_id": dialog_id, "seq": asked["seq"], "content": {"type": "text", "text": "/help"}, "card": None}
    event = {"type": "message.new", "dialog_id": dialog_id, "seq": asked["seq"], "message": message}
    body = json.dumps({"bot_id": bot.bot_id, "updates": [{"update_id": 1, "event": event}]}).encode()
    genuine = signed(secret, body)
    now = int(time.time())
    forged = {
        "no signature": (body, {}),
        "nonsense": (body, {"X-Sampan-Signature": "t=x,v1=é"}),
        "another secret": (body, signed("not the secret", body)),
        "another body": (body.replace(b"/help", b"/start"), genuine),
        "another time": (body, {"X-Sampan-Signature": genuine["X-Sampan-Signature"].replace("t=", "t=1")}),
        "an hour old": (body, signed(secret, body, now - 3600)),
        "an hour ahead": (body, signed(secret, body, now + 3600)),
    }
    async with running(program), aiohttp.ClientSession() as session:

        async def post(sent, headers):
            async with session.post(url, data=sent, headers=headers) as answer:
                return answer.status

        await eventually(lambda: post(b"", {}), timeout_s=60, what="the bot listens")
        for what, (sent, headers) in forged.items():
            assert await post(sent, headers) == 401, what
        assert await bot.said(someone, dialog_id) == []
        # The same with a good signature is taken, twice as well as once.
        assert [await post(body, genuine), await post(body, genuine)] == [204, 204]
        assert len(await bot.said(someone, dialog_id)) == 1
