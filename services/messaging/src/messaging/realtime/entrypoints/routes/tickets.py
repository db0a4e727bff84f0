"""Tickets for the socket."""

from __future__ import annotations

from chassis.http import RateLimit, Routes, View
from chassis.tokens import Principal
from messaging.realtime.adapters.ticket_cache import LIFE_S
from messaging.wiring import App

routes = Routes(tag="realtime")


class SocketTicketView(View):
    """Good for one connection, within ``expires_in_s``: the first frame is ``{"type": "auth", "ticket": …}``."""

    ticket: str
    expires_in_s: int


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
