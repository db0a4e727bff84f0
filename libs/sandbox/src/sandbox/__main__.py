"""``python -m sandbox``: every stand-in on SANDBOX_HTTP_PORT, until SIGTERM."""

from __future__ import annotations

import uvloop
from aiohttp import web

from sandbox.server import make_app
from sandbox.settings import SandboxSettings


def main() -> None:
    """Serve until told to stop."""
    settings = SandboxSettings.from_environment()
    loop = uvloop.new_event_loop()
    try:
        web.run_app(make_app(settings), host=settings.http_host, port=settings.http_port, loop=loop, print=None)
    finally:
        loop.close()


if __name__ == "__main__":
    main()
