"""The realtime routes: tickets, the long poll, and the socket, which is no route of the API's table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import Field

from chassis.http import RateLimit, Routes, View
from chassis.run import Supervised, running
from chassis.tokens import Principal
from kernel.errors import DomainError, Kind
from messaging.core.domain.message import Sent
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.core.usecases.submit_message import submit_message
from messaging.realtime.frames import Positions
from messaging.realtime.long_poll import poll
from messaging.realtime.node import Node
from messaging.realtime.tickets import LIFE_S
from messaging.realtime.upgrade import Upgrade
from messaging.wiring import App

routes = Routes(tag="realtime")
NODE: Final = web.AppKey("node", Node)
SOCKET_PATH = "/v1/realtime"
WAIT_S_MAX = 8.0
_STOP_S = 5.0


class NoNodeError(DomainError):
    code: ClassVar[str] = "messaging.realtime.no_node"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    title: ClassVar[str] = "This process takes no realtime clients"


class SocketTicketView(View):
    """Good for one connection, within ``expires_in_s``: the first frame is ``{"type": "auth", "ticket": …}``."""

    ticket: str
    expires_in_s: int


class PollBody(Positions):
    """``wait_s``: how long to hold the answer while there is nothing to say."""

    wait_s: Annotated[float, Field(ge=0, le=WAIT_S_MAX)] = 0.0


class FramesView(View):
    """The frames a socket would have got: apply them in order, then ask again from where they end."""

    frames: list[dict[str, Any]]


@routes.post(
    "/v1/realtime/tickets",
    status=201,
    idempotency="none",
    limit=RateLimit("realtime-tickets", per_user=60, window_s=60, fails="open"),
    summary="Get a one-use ticket for the socket",
)
async def post_ticket(principal: Principal, app: App) -> SocketTicketView:
    """503 while Redis is away: give the access token in the ``auth`` frame then, which does the same."""
    return SocketTicketView(ticket=await app.tickets.issue(principal), expires_in_s=LIFE_S)


@routes.post(
    "/v1/realtime/poll",
    status=200,
    idempotency="none",
    limit=RateLimit("realtime-poll", per_user=240, window_s=60, fails="open"),
    errors=(NoNodeError,),
    summary="Wait for what follows these positions",
)
async def post_poll(request: web.Request, body: PollBody, principal: Principal, app: App) -> FramesView:
    """For clients that cannot hold a socket. A POST, because the positions of a thousand dialogs fit in no URL.

    Name every dialog you follow. A dialog that you can read no longer is answered with a ``gone`` frame.
    """
    node = request.app.get(NODE)
    if node is None:
        raise NoNodeError(retry_after_s=1.0)
    frames = await poll(node, app.revocations, principal, body, body.wait_s)
    return FramesView(frames=[orjson.loads(each) for each in frames])


def mount(application: web.Application, app: App) -> None:
    """Add the socket to the http role's application; its runners live as long as the application does."""

    async def post(sender_id: UUID, dialog_id: UUID, body: SendMessageBody) -> Sent:
        return await submit_message(body.to_command(dialog_id, sender_id), app)

    node = Node(
        limits=app.settings,
        redis=app.redis,
        clock=app.clock,
        channels=app.channels,
        hub=app.hub,
        reads=app.live_reads,
        verifier=app.verifier,
        revocations=app.revocations,
        tickets=app.tickets,
        announcer=app.announcer,
        begin=app.begin,
        post=post,
    )

    async def run_node(_application: web.Application) -> AsyncIterator[None]:
        async with running([Supervised(each) for each in node.runners], _STOP_S):
            yield
        await node.close()

    async def drain(_: web.Application) -> None:
        await node.drain()

    application[NODE] = node
    application.cleanup_ctx.append(run_node)
    application.on_shutdown.append(drain)
    application.router.add_get(SOCKET_PATH, Upgrade(node).handle, allow_head=False)
