"""Tells readiness of channels that are down: degraded, as requests are answered and deliveries wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from notification.adapters.watched_gateway import WatchedGateway
from notification.domain.notification import Channel


class ChannelWatch:
    name = "channels"
    critical = False

    def __init__(self, gateways: Mapping[Channel, WatchedGateway]) -> None:
        self._gateways = gateways

    def problem(self) -> str | None:
        problems = {channel: gateway.problem() for channel, gateway in self._gateways.items()}
        return "; ".join(f"{channel}: {problem}" for channel, problem in problems.items() if problem) or None

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()
