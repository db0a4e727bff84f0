"""How a stand-in is told to misbehave: ``GET`` shows what can be set, ``PUT`` sets it anew.

Invariant: what a ``PUT`` leaves out goes back to its default: ``{}`` is a well-behaved server.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web


class Misbehaving(Protocol):
    """Has a dataclass of what goes wrong; every field of it has a default."""

    behaviour: Any


def behaviour_routes(path: str, part: Misbehaving) -> list[web.RouteDef]:
    """Both routes of one part."""

    async def get_behaviour(_: web.Request) -> web.Response:
        return web.json_response(asdict(part.behaviour))

    async def put_behaviour(request: web.Request) -> web.Response:
        try:
            part.behaviour = type(part.behaviour)(**await request.json())
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=422)
        return web.json_response(asdict(part.behaviour))

    return [web.get(path, get_behaviour), web.put(path, put_behaviour)]
