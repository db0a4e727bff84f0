"""What an SMS provider's answers mean: sent is only what it says it took, and final only what it says of the message."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from notification.adapters.sms_gateway import SmsGateway
from notification.adapters.template_gateway import Templates
from notification.domain.delivery import Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification_testing.builders import a_code

REFUSES = Unknown("notification.sms.provider_refuses")
UNEXPECTED = Unknown("notification.sms.unexpected_answer")
LATER = Unknown("notification.sms.try_later")
TAKEN = {"message_id": "m-1"}


@asynccontextmanager
async def provider(answer):
    """Answers every message so; ``asked`` is where else it was asked."""
    asked = []

    async def elsewhere(request):
        asked.append((request.method, await request.text(), request.headers.get("Authorization")))
        return web.json_response(TAKEN, status=202)

    async def take(_):
        return answer()

    app = web.Application()
    app.add_routes([web.post("/sms/messages", take), web.route("*", "/{path:.*}", elsewhere)])
    async with TestServer(app) as server:
        gateway = SmsGateway(base_url=str(server.make_url("/")), api_key="secret", templates=Templates(), timeout_s=2)
        try:
            yield gateway, asked
        finally:
            await gateway.close()


async def send(gateway):
    return await gateway.send(a_code("+66812345678", channel=Channel.SMS), None)


def answers(status, content=None, **headers):
    return lambda: web.json_response(content if content is not None else {"error": "x"}, status=status, headers=headers)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, REFUSES) for status in (401, 402, 403, 404, 405, 409, 410, 415, 451)),
        *((status, LATER) for status in (408, 425, 429, 500, 502, 503, 504)),
        *((status, Refused("notification.sms.refused")) for status in (400, 422)),
        *((status, UNEXPECTED) for status in (200, 201, 203, 206)),
    ],
)
async def test_only_what_is_said_of_the_message_is_final(status, expected):
    async with provider(answers(status, TAKEN if status < 300 else None)) as (gateway, _):
        assert await send(gateway) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_goes_where_a_redirect_points(status):
    async with provider(answers(status, Location="/elsewhere")) as (gateway, asked):
        assert await send(gateway) == REFUSES
        assert asked == []


@pytest.mark.parametrize(
    "content",
    [
        {"success": False, "error": "insufficient balance"},
        {"success": False, **TAKEN},
        {"error": "no balance", **TAKEN},
        {},
        [],
        "taken",
        None,
        {"message_id": ""},
        {"message_id": None},
        {"message_id": 7},
        {"message_id": ["m"]},
    ],
)
async def test_what_does_not_name_the_message_it_took_is_not_sent(content):
    body = {} if content is None else content
    async with provider(answers(202, body)) as (gateway, _):
        assert await send(gateway) == UNEXPECTED


@pytest.mark.parametrize("text", ["<html>sign in</html>", "[" * 200_000, "", "{"])
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_what_cannot_be_read_is_not_sent(text, kind):
    async with provider(lambda: web.Response(text=text, content_type=kind, status=202)) as (gateway, _):
        assert await send(gateway) == UNEXPECTED


@pytest.mark.parametrize(("name", "stored"), [("m-1", "m-1"), ("m" * 300, "m" * 200), ("a\x00b", "")])
async def test_what_was_taken_is_sent_also_when_its_name_cannot_be_stored(name, stored):
    async with provider(answers(202, {"message_id": name})) as (gateway, _):
        assert await send(gateway) == Sent(stored)


@pytest.mark.parametrize(("wish", "wait_s"), [("30", 30.0), ("²", None), ("soon", None), ("-1", None)])
async def test_a_wish_to_be_asked_later_is_heard_where_it_is_a_number(wish, wait_s):
    async with provider(lambda: web.Response(status=503, headers={"Retry-After": wish})) as (gateway, _):
        assert await send(gateway) == Unknown("notification.sms.try_later", wait_s)
