"""The routes of auth, a file a resource."""

from __future__ import annotations

from typing import Final

from chassis.http import RateLimit

CHANGING: Final = RateLimit("graph", per_user=300, window_s=60, fails="open")  # of friends, blocks and follows
