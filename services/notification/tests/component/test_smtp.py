"""Mail servers that offer SMTPUTF8, that do not, that hang, and that hang up."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiosmtpd.smtp import SMTP

from notification.adapters.email_gateway import EmailGateway
from notification.adapters.template_gateway import Templates
from notification.domain.delivery import Refused, Sent, Unknown
from notification_testing.builders import a_code

THAI = "ผู้ใช้@example.com"


class Server:
    """Keeps what it takes; a mail to ``slow@`` is never answered, one to ``thinks@`` late, one to ``gone@`` ends the connection."""

    def __init__(self):
        self.taken = []

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802
        (to,) = envelope.rcpt_tos
        if to.startswith("slow@"):
            await asyncio.sleep(60)
        if to.startswith("gone@"):
            server.transport.abort()
        self.taken.append(to)
        if to.startswith("thinks@"):
            await asyncio.sleep(1)
        return "250 2.0.0 taken"


@asynccontextmanager
async def mail_server(*, smtputf8=True, answer_s=0.5):
    kept, loop = Server(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, loop=loop, enable_SMTPUTF8=smtputf8), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = EmailGateway(
        host="127.0.0.1",
        port=port,
        sender="Sampan <no-reply@sampan.example>",
        templates=Templates(),
        timeout_s=0.5,
        answer_s=answer_s,
    )
    try:
        yield gateway, kept
    finally:
        await gateway.close()
        server.close()


async def send(gateway, address):
    return await gateway.send(a_code(address), None)


async def test_a_mailbox_in_any_script_gets_its_mail():
    async with mail_server() as (gateway, server):
        assert isinstance(await send(gateway, THAI), Sent)
        assert isinstance(await send(gateway, "nok@müller.example"), Sent)
        assert server.taken == [THAI, "nok@xn--mller-kva.example"]


async def test_where_the_server_cannot_the_mail_fails_at_once_with_a_reason():
    async with mail_server(smtputf8=False) as (gateway, server):
        assert await send(gateway, THAI) == Refused("notification.email.smtputf8_not_offered")
        assert isinstance(await send(gateway, "nok@müller.example"), Sent)
        assert isinstance(await send(gateway, "nok@example.com"), Sent)
        assert server.taken == ["nok@xn--mller-kva.example", "nok@example.com"]


@pytest.mark.parametrize("address", ["nobody", "a b@example.com", "a@b..c", "a\r\nRCPT TO:<x@example.com>@b.c"])
async def test_what_is_no_mailbox_fails_at_once_and_the_next_mail_goes(address):
    async with mail_server() as (gateway, server):
        assert await send(gateway, address) == Refused("notification.email.address_invalid")
        assert isinstance(await send(gateway, "nok@example.com"), Sent)
        assert server.taken == ["nok@example.com"]


@pytest.mark.parametrize("address", ["slow@example.com", "gone@example.com"])
async def test_a_dialogue_that_breaks_off_is_no_answer_to_the_next_mail(address):
    async with mail_server() as (gateway, server):
        assert isinstance(await send(gateway, "first@example.com"), Sent)
        assert await send(gateway, address) == Unknown("notification.email.unreachable")
        assert isinstance(await send(gateway, "next@example.com"), Sent)
        assert "next@example.com" in server.taken


async def test_a_mail_that_is_cut_off_from_outside_leaves_a_clean_connection():
    async with mail_server() as (gateway, server):
        cut = asyncio.create_task(send(gateway, "slow@example.com"))
        waiting = asyncio.create_task(send(gateway, "next@example.com"))
        await asyncio.sleep(0.2)
        cut.cancel()
        assert isinstance(await waiting, Sent)
        assert server.taken == ["next@example.com"]


async def test_a_server_that_thinks_about_a_mail_for_longer_than_about_a_command_gets_it_once():
    async with mail_server(answer_s=5.0) as (gateway, server):
        assert isinstance(await send(gateway, "thinks@example.com"), Sent)
        assert isinstance(await send(gateway, "next@example.com"), Sent)
        assert server.taken == ["thinks@example.com", "next@example.com"]


async def test_negative_control_where_the_wait_is_no_longer_a_mail_that_was_taken_is_not_known_to_be():
    async with mail_server(answer_s=0.5) as (gateway, server):
        assert await send(gateway, "thinks@example.com") == Unknown("notification.email.unreachable")
        assert server.taken == ["thinks@example.com"]


async def test_a_server_that_hangs_before_the_mail_is_given_to_it_is_left_soon():
    async def silent(_reader, writer):
        await asyncio.sleep(5)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = EmailGateway(host="127.0.0.1", port=port, sender="x@y.example", templates=Templates(), timeout_s=0.2)
    async with asyncio.timeout(3):
        assert await send(gateway, "nok@example.com") == Unknown("notification.email.unreachable")
    server.close()
