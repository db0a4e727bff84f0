"""Free ports are different, can be listened on, and are none that the kernel gives to who connects."""

from __future__ import annotations

import socket
from pathlib import Path

from testkit.ports import free_ports

KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_nobody_who_connects_is_given_one() -> None:
    lowest, highest = map(int, KERNELS.read_text().split())
    given = range(lowest, highest + 1)
    assert lowest < 26_000 or not [port for port in free_ports(20) if port in given]
