"""All routes of messaging, and the application that serves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from chassis.http import Routes
from messaging.activity.entrypoints.routes import activity
from messaging.bots.entrypoints.routes import bot_api, bots
from messaging.cards.entrypoints.routes import payments
from messaging.core.entrypoints.routes import (
    cursors,
    dialog_settings,
    dialogs,
    invites,
    members,
    message_acts,
    messages,
    sync,
)
from messaging.entrypoints import realtime
from messaging.files.entrypoints.routes import attachments
from messaging.lifecycle.entrypoints.routes import legal_holds
from messaging.polls.entrypoints.routes import polls
from messaging.reports.entrypoints.routes import reports
from messaging.scheduling.entrypoints.routes import drafts, scheduled_messages
from messaging.search.entrypoints.routes import search
from messaging.wiring import App
from operations import make_service_app

ROUTES: Final = (
    dialogs.routes,
    dialog_settings.routes,
    members.routes,
    invites.routes,
    messages.routes,
    message_acts.routes,
    polls.routes,
    reports.routes,
    payments.routes,
    drafts.routes,
    scheduled_messages.routes,
    cursors.routes,
    sync.routes,
    realtime.routes,
    search.routes,
    activity.routes,
    attachments.routes,
    bots.routes,
    bot_api.routes,
    legal_holds.routes,
)


def make_web_app(routes: Sequence[Routes], app: App) -> web.Application:
    """With the socket, which is no route of the table."""
    application = make_service_app(routes, app)
    realtime.mount(application, app)
    return application
