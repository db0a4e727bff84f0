"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

import operations
from chassis.http import Routes
from chassis.run import Command, Runner
from messaging.activity.entrypoints.routes import activity
from messaging.bots.entrypoints.bot_updates import jobs as bot_jobs
from messaging.bots.entrypoints.routes import bot_api, bots
from messaging.bots.entrypoints.webhook_calls import WebhookCalls
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
from messaging.entrypoints.consumers import subscriptions
from messaging.entrypoints.follower import follower
from messaging.entrypoints.jobs import jobs as timed
from messaging.files.entrypoints.jobs import jobs as attachment_jobs
from messaging.files.entrypoints.routes import attachments
from messaging.lifecycle.entrypoints import cli
from messaging.polls.entrypoints.routes import polls
from messaging.reports.entrypoints.routes import reports
from messaging.scheduling.entrypoints.routes import drafts
from messaging.search.entrypoints.routes import search
from messaging.wiring import App
from objects.watch import ObjectWatch
from operations.commands.dead_letters import dead_letters_command

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
    cursors.routes,
    sync.routes,
    realtime.routes,
    search.routes,
    activity.routes,
    attachments.routes,
    bots.routes,
    bot_api.routes,
    cli.routes,
)
COMMANDS: Final[Mapping[str, Command]] = {
    **cli.COMMANDS,
    "follower-dead-letters": dead_letters_command(follower),
}


def make_web_app(routes: Sequence[Routes], app: App) -> web.Application:
    application = operations.make_service_app(routes, app)
    realtime.mount(application, app)
    return application


def background(app: App) -> Sequence[Runner]:
    """In every role: revoked sessions, the lanes that send, what tells other nodes, and a look at the object store."""
    return [*operations.background(app), *app.sender.lanes, *app.announcer.runners, ObjectWatch(app.objects)]


def consumers(app: App) -> Sequence[Runner]:
    """Other services' events; and what follows the service's own."""
    return [*operations.consumers(app, subscriptions), *operations.consumers(app, follower)]


def jobs(app: App) -> Sequence[Runner]:
    return [
        *timed(app),
        *bot_jobs(app),
        WebhookCalls(app),
        *attachment_jobs(app),
        *cli.jobs(app),
        *operations.housekeeping(app),
    ]
