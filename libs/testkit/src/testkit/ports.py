"""Ports for processes that a test starts: free when asked for, all different.

They lie below those that the kernel gives to whoever connects, so that none of the many connections of other tests
takes one before its process listens.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

_LOWEST: Final = 24_000
_ENOUGH: Final = 1_000
_KERNELS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_chance: Final = random.SystemRandom()  # hypothesis seeds the other one, alike in each process


def free_ports(count: int) -> list[int]:
    """As many different TCP ports of the loopback as asked for. Nobody keeps them free: listen soon."""
    with ExitStack() as held:
        listening = [held.enter_context(_listen()) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in listening]


def free_port() -> int:
    """One of them."""
    (port,) = free_ports(1)
    return port


def _listen() -> socket.socket:
    highest = _lowest_of_the_kernel()
    while highest - _LOWEST > _ENOUGH:
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", _chance.randrange(_LOWEST, highest)))
    return socket.create_server(("127.0.0.1", 0))


def _lowest_of_the_kernel() -> int:
    try:
        return int(_KERNELS.read_text(encoding="ascii").split()[0])
    except OSError:
        return 0
