"""A mail server that breaks SMTP for one mail stops no other, and no mail of it counts as sent or is refused for good."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import pytest

from notification.adapters.email_gateway import EmailGateway
from notification.adapters.smtp_gateway import MailConnection
from notification.adapters.template_gateway import Templates
from notification.domain.delivery import Refused, Sent, Unknown
from notification_testing.builders import a_code
from testkit.wait import eventually

UNEXPECTED = Unknown("notification.email.unexpected_reply")


class MailServer:
    """Speaks SMTP by hand, so that it can break it: the recipient's local part says how."""

    def __init__(
        self, *, banner="220 test ESMTP", to_ehlo="250-test\r\n250-SMTPUTF8\r\n250 8BITMIME", to_mail="250 ok"
    ):
        self.banner, self.to_ehlo, self.to_mail = banner, to_ehlo, to_mail
        self.taken, self.connections, self.open = [], 0, set()

    async def serve(self, reader, writer):
        self.connections += 1
        self.open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await say(writer, self.banner)
            to = ""
            while line := (await reader.readline()).decode():
                to = line.split("<")[1].split(">")[0] if line.startswith("RCPT") else to
                await self._answer(line[:4], to, reader, writer)
        writer.close()
        self.open.discard(writer)

    async def _answer(self, command, to, reader, writer):
        match command:
            case "EHLO":
                await say(writer, self.to_ehlo)
            case "MAIL":
                await say(writer, self.to_mail)
            case "RCPT":
                await misbehave(to.split("@")[0], writer)
            case "DATA" if to.startswith("no-data"):
                await say(writer, "250 ok")
            case "DATA":
                await say(writer, "354 go on")
                await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(to)
                await say(writer, "250 taken\r\n250 taken" if to.startswith("twice") else "250 taken")
            case _:
                await say(writer, "250 ok")


# What it says of a recipient, by their local part.
SAYS = {
    "garbage": ["hello world"],
    "garbage-and-more": ["hello world\r\n250 ok\r\n250 ok"],
    "odd": ["999 odd"],
    "positive": ["354 go on"],
    "huge": ["2" * 200_000],
    "endless": ["\r\n".join(["250-more"] * 100)] * 50,
    "double": ["250 ok\r\n250 ok"],
    "late": ["250 ok", "250 ok"],
    "refused": ["550 no such mailbox"],
    "refused-twice": ["550 no such mailbox\r\n550 no such mailbox"],
    "blocked": ["550 5.7.1 client host blocked"],
    "sequence": ["503 bad sequence of commands"],
    "busy": ["451 later"],
    "closing": ["421 closing"],
}


async def misbehave(how, writer):
    for number, each in enumerate(SAYS.get(how, ["250 ok"])):
        await asyncio.sleep(0.02 * min(number, 1))
        await say(writer, each)
    if how == "closing":
        writer.close()


async def say(writer, text):
    writer.write(f"{text}\r\n".encode())
    await writer.drain()


@asynccontextmanager
async def mail_server(**how):
    kept = MailServer(**how)
    server = await asyncio.start_server(kept.serve, "127.0.0.1", 0)
    gateway = EmailGateway(
        host="127.0.0.1",
        port=server.sockets[0].getsockname()[1],
        sender="Sampan <no-reply@sampan.example>",
        templates=Templates(),
        timeout_s=2.0,
    )
    try:
        yield gateway, kept
    finally:
        await gateway.close()
        server.close()
        await eventually(lambda: not kept.open, timeout_s=10, what="every connection closed")


async def send(gateway, address):
    return await gateway.send(a_code(address), None)


MISBEHAVIOURS = [
    ("garbage", UNEXPECTED),
    ("garbage-and-more", UNEXPECTED),
    ("odd", UNEXPECTED),
    ("positive", UNEXPECTED),
    ("huge", UNEXPECTED),
    ("endless", UNEXPECTED),
    ("no-data", UNEXPECTED),
    ("sequence", UNEXPECTED),
    ("double", UNEXPECTED),
    ("closing", Unknown("notification.email.try_later")),
    ("busy", Unknown("notification.email.mailbox_busy")),
    ("refused", Refused("notification.email.refused")),
    ("blocked", Unknown("notification.email.refused_by_policy")),
    ("refused-twice", Refused("notification.email.refused")),
    ("twice", Sent),
    ("late", None),  # in time or too late for this mail's dialogue: never for the next one's
]


@pytest.mark.parametrize(("how", "expected"), MISBEHAVIOURS)
async def test_what_a_server_says_of_one_mail_is_no_answer_to_the_next(how, expected):
    async with mail_server() as (gateway, server):
        assert isinstance(await send(gateway, "first@example.com"), Sent)
        outcome = await send(gateway, f"{how}@example.com")
        if isinstance(expected, type):
            assert isinstance(outcome, expected)
        elif expected is not None:
            assert outcome == expected
        assert await send(gateway, "refused@example.com") == Refused("notification.email.refused")
        assert isinstance(await send(gateway, "next@example.com"), Sent)
        assert [each for each in server.taken if not each.startswith(how)] == ["first@example.com", "next@example.com"]


async def test_negative_control_a_connection_that_is_kept_whatever_came_answers_with_what_was_said_before(monkeypatch):
    async with mail_server() as (gateway, server):
        with monkeypatch.context() as patched:
            patched.setattr(MailConnection, "close", lambda _: None)
            await send(gateway, "garbage-and-more@example.com")
            outcomes = [await send(gateway, "refused@example.com"), await send(gateway, "next@example.com")]
        assert outcomes[0] != Refused("notification.email.refused") or not isinstance(outcomes[1], Sent)
        assert server.connections == 1


async def test_mails_that_were_answered_share_a_connection():
    async with mail_server() as (gateway, server):
        for each in ("first", "refused", "busy", "next"):
            await send(gateway, f"{each}@example.com")
        assert server.connections == 1


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"banner": "554 no service"}, "notification.email.server_refuses"),
        ({"banner": "421 too many"}, "notification.email.try_later"),
        ({"banner": "hello"}, "notification.email.unexpected_reply"),
        ({"to_ehlo": "no"}, "notification.email.unexpected_reply"),
        ({"to_mail": "550 whom nobody knows"}, "notification.email.sender_refused"),
        ({"to_mail": "450 too much"}, "notification.email.try_later"),
        ({"to_mail": "999 odd"}, "notification.email.unexpected_reply"),
    ],
)
async def test_a_server_that_takes_no_mail_at_all_is_no_reason_to_give_one_up(how, code):
    async with mail_server(**how) as (gateway, server):
        assert await send(gateway, "first@example.com") == Unknown(code)
        server.banner, server.to_ehlo, server.to_mail = "220 test", "250 test", "250 ok"
        assert isinstance(await send(gateway, "next@example.com"), Sent)
