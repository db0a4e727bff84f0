"""Ports for processes that a test starts: free when asked for, all different."""

from __future__ import annotations

import socket
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """As many different TCP ports of the loopback as asked for. Nobody keeps them free: listen soon."""
    with ExitStack() as held:
        listening = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in listening]


def free_port() -> int:
    """One of them."""
    (port,) = free_ports(1)
    return port
