"""The operators' port: probes and metrics, apart from the public one."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.run.health import Health
from chassis.telemetry import metrics as told


def ops_app(health: Health) -> web.Application:
    """``/livez``, ``/startupz``, ``/readyz`` (503 with reasons; 200 with what is degraded), ``/metrics``."""

    async def livez(_: web.Request) -> web.Response:
        return _json(200, {"status": "alive"})

    async def startupz(_: web.Request) -> web.Response:
        return _json(200, {"status": "started"}) if health.started else _json(503, {"status": "starting"})

    async def readyz(_: web.Request) -> web.Response:
        unready, degraded = await health.reasons()
        answer: dict[str, Any] = {"status": "unready" if unready else "ready"}
        if unready:
            answer["reasons"] = unready
        if degraded:
            answer["degraded"] = degraded
        return _json(503 if unready else 200, answer)

    async def metrics(_: web.Request) -> web.Response:
        unready, degraded = await health.reasons()
        told.ready.set(0 if unready else 1)
        told.degraded.set(len(degraded))
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/livez", livez)
    app.router.add_get("/startupz", startupz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


def _json(status: int, document: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")
