"""The long poll: what a socket would have got, for clients that cannot hold one."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

import orjson
from aiohttp import web
from pydantic import Field

from chassis.http import RateLimit, Routes, View
from chassis.tokens import Principal
from messaging.live.entrypoints.frames import CHAT
from messaging.live.entrypoints.schemas.frames import Positions
from messaging.realtime.domain.refusals import NoNodeError
from messaging.realtime.socket.long_poll import poll
from messaging.realtime.socket.upgrade import NODE

routes = Routes(tag="realtime")
WAIT_S_MAX: Final = 8.0


class PollBody(Positions):
    """``wait_s``: how long to hold the answer while there is nothing to say."""

    wait_s: Annotated[float, Field(ge=0, le=WAIT_S_MAX)] = 0.0


class FramesView(View):
    """The frames a socket would have got: apply them in order, then ask again from where they end."""

    frames: list[dict[str, Any]]


@routes.post(
    "/v1/realtime/poll",
    status=200,
    idempotency="none",
    limit=RateLimit("realtime-poll", per_user=240, window_s=60, fails="open"),
    errors=(NoNodeError,),
    summary="Wait for what follows these positions",
)
async def post_poll(request: web.Request, body: PollBody, principal: Principal) -> FramesView:
    """For clients that cannot hold a socket. A POST, because the positions of a thousand dialogs fit in no URL.

    Name every dialog you follow. A dialog that you can read no longer is answered with a ``gone`` frame.
    """
    node, chat = request.app.get(NODE), request.app.get(CHAT)
    if node is None or chat is None:
        raise NoNodeError(retry_after_s=1.0)
    frames = await poll(node, principal, partial(chat.follow_named, positions=body), body.wait_s)
    return FramesView(frames=[orjson.loads(each) for each in frames])
