"""All routes of auth."""

from __future__ import annotations

from typing import Final

from auth.entrypoints.routes import codes, friend_requests, relations, sessions, users
from chassis.http import Routes

ROUTES: Final[tuple[Routes, ...]] = (
    users.routes,
    sessions.routes,
    codes.routes,
    friend_requests.routes,
    relations.routes,
)
