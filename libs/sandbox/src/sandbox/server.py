"""One server with every stand-in: each part brings its routes; one with background work brings a context."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator

from aiohttp import web
from aiosmtpd.smtp import SMTP

from sandbox.mail import MailCatcher
from sandbox.payments import PaymentProvider
from sandbox.scanner import Scanner
from sandbox.settings import SandboxSettings
from sandbox.sms import Sms
from sandbox.traces import Traces

BODY_BYTES_MAX = 8 * 1024 * 1024  # a batch of spans is larger than any message


def make_app(settings: SandboxSettings) -> web.Application:
    """The sandbox: payment provider, SMS provider, mail catcher, virus scanner, trace collector, and their pages."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    payments = PaymentProvider(
        webhook_url=settings.webhook_url, webhook_secret=settings.webhook_secret, api_key=settings.api_key
    )
    sms, mail, traces, scanner = Sms(), MailCatcher(), Traces(), Scanner()
    app.add_routes([*payments.routes(), *sms.routes(), *mail.routes(), *traces.routes(), *scanner.routes()])

    async def get_page(_: web.Request) -> web.Response:
        return web.Response(text=page(payments, sms, mail), content_type="text/html")

    async def get_health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def smtp(_: web.Application) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(mail, loop=loop, enable_SMTPUTF8=True), settings.http_host, settings.smtp_port
        )
        yield
        server.close()
        await server.wait_closed()

    async def scanning(_: web.Application) -> AsyncIterator[None]:
        server = await asyncio.start_server(scanner.serve, settings.http_host, settings.scanner_port)
        yield
        server.close()
        await server.wait_closed()

    app.add_routes([web.get("/", get_page), web.get("/healthz", get_health)])
    app.cleanup_ctx.append(payments.run)
    app.cleanup_ctx.append(smtp)
    app.cleanup_ctx.append(scanning)
    return app


def page(payments: PaymentProvider, sms: Sms, mail: MailCatcher) -> str:
    """What was sent and charged, newest first, for a person."""
    texts = "".join(_row(each.to, each.text) for each in list(reversed(sms.messages))[:50])
    mails = "".join(_row(", ".join(each.to), each.subject, each.text) for each in list(reversed(mail.mails))[:50])
    charges = "".join(
        _row(each.reference, f"{each.amount_minor} {each.currency}", each.status)
        for each in payments.charges.newest(50)
    )
    return (
        "<!doctype html><meta charset=utf-8><title>Sandbox</title>"
        "<style>body{font:15px system-ui;margin:2rem}"
        "td{padding:.2rem .8rem;vertical-align:top;white-space:pre-wrap}</style><h1>Sandbox</h1>"
        "<p><a href=/traces>Traces</a>"
        f"<h2>Text messages</h2><table>{texts}</table><h2>Mails</h2><table>{mails}</table>"
        f"<h2>Charges</h2><table>{charges}</table>"
    )


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
