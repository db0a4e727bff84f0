"""Where payment providers call."""

from __future__ import annotations

from aiohttp import web

from chassis.http import Routes
from payment.domain.provider import (
    ProviderUnknownError,
    WebhookMalformedError,
    WebhookSignatureError,
    WebhookStaleError,
)
from payment.usecases.read_webhook import read_webhook
from payment.usecases.receive_webhook import receive_webhook
from payment.wiring import App

routes = Routes(tag="provider-webhooks")


@routes.post(
    "/v1/provider-webhooks/{provider}",
    auth="public",
    body_bytes_max=64 * 1024,
    summary="Where payment providers call",
    errors=(
        ProviderUnknownError,
        WebhookMalformedError,
        WebhookSignatureError,
        WebhookStaleError,
    ),
)
async def post_webhook(provider: str, request: web.Request, body: bytes, app: App) -> None:
    """Signed by the provider; taken once however often it comes, in whatever order."""
    known = app.providers.get(provider)
    if known is None:
        raise ProviderUnknownError
    event = read_webhook(known, request.headers, body, app.clock.now())
    async with app.begin() as tx:
        await receive_webhook(event, tx)
    if event.charge.reference_id is not None:
        await app.hints.publish(f"top-up:{event.charge.reference_id}")
