"""All routes of notification."""

from __future__ import annotations

from typing import Final

from notification.entrypoints.routes import deliveries, notifications

ROUTES: Final = (notifications.routes, deliveries.routes)
