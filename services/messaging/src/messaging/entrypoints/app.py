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
from messaging.files.entrypoints.routes import attachments
from messaging.lifecycle.entrypoints.routes import legal_holds
from messaging.live.adapters.ack_job import Acks
from messaging.live.adapters.presence_job import Presence
from messaging.live.adapters.watch_reads import WatchReads
from messaging.live.entrypoints.frames import CHAT, ChatFrames
from messaging.live.entrypoints.routes import poll
from messaging.live.watching import Watching
from messaging.polls.entrypoints.routes import polls
from messaging.realtime.entrypoints.routes import tickets
from messaging.realtime.socket.hub import Hub
from messaging.realtime.socket.node import Node
from messaging.realtime.socket.people import People
from messaging.realtime.socket.spawning import Spawner
from messaging.realtime.socket.upgrade import mount
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
    tickets.routes,
    poll.routes,
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
    people = People(per_person_max=app.settings.realtime_connections_per_user)
    hub, spawner = Hub(app.dialog_streams, app.account_streams), Spawner()
    chat = _make_chat(app, hub, people, spawner)
    node = Node(
        name=app.broadcaster.node,
        limits=app.settings,
        redis=app.redis,
        clock=app.clock,
        channels=app.channels,
        hub=hub,
        people=people,
        spawner=spawner,
        provider=chat,
        verifier=app.verifier,
        revocations=app.revocations,
        tickets=app.tickets,
    )
    mount(application, node)
    application[CHAT] = chat
    return application


def _make_chat(app: App, hub: Hub, people: People, spawner: Spawner) -> ChatFrames:
    dialogs, accounts = app.dialog_streams, app.account_streams
    reads, publish = WatchReads(app.database), app.broadcaster.publisher.publish
    return ChatFrames(
        dialogs=dialogs,
        watching=Watching(hub, dialogs, accounts, people=people, reads=reads, spawner=spawner),
        presence=Presence(app.redis, reads, app.clock, app.broadcaster.node, channels=app.channels, publish=publish),
        reads=reads,
        acks=Acks(app.begin),
        announcer=app.announcer,
        sending=app,
        spawner=spawner,
        clock=app.clock,
    )
