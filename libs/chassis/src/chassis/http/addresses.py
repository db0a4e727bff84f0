"""Where a request comes from: the peer, or what a trusted proxy says about it.

Invariant: ``X-Forwarded-For`` counts only when the peer itself is a trusted proxy, and then from the right.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

from aiohttp import web

UNKNOWN: Final = "unknown"


class Addresses:
    """Finds the client's address behind the networks that are ours."""

    def __init__(self, trusted_proxies: str = "") -> None:
        networks = [ipaddress.ip_network(each.strip()) for each in trusted_proxies.split(",") if each.strip()]

        @lru_cache(maxsize=1024)
        def trusted(address: str) -> bool:
            try:
                parsed = ipaddress.ip_address(address)
            except ValueError:
                return False
            return any(parsed in network for network in networks if network.version == parsed.version)

        self._trusted = trusted

    def client_of(self, request: web.Request) -> str:
        """The nearest address that is not one of our proxies; an IPv6 client counts by its /64."""
        peer = request.remote or UNKNOWN
        forwarded = request.headers.get("X-Forwarded-For")
        if forwarded is None or not self._trusted(peer):
            return _subject(peer)
        hops = [hop.strip() for hop in forwarded.split(",")[-8:]]
        for hop in reversed(hops):
            if not self._trusted(hop):
                return _subject(hop)
        return _subject(hops[0])


def _subject(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
