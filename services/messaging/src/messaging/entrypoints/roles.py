"""What runs in each role of the service."""

from __future__ import annotations

from collections.abc import Sequence

import operations
from chassis.run import Runner
from messaging.bots.entrypoints.jobs import jobs as bot_jobs
from messaging.core.entrypoints.jobs import jobs as core_jobs
from messaging.entrypoints.consumers import stream_consumer, subscriptions
from messaging.files.entrypoints.jobs import jobs as file_jobs
from messaging.lifecycle.entrypoints.jobs import jobs as lifecycle_jobs
from messaging.polls.entrypoints.jobs import jobs as poll_jobs
from messaging.scheduling.entrypoints.jobs import jobs as scheduling_jobs
from messaging.wiring import App
from objects.watch import ObjectWatch


def background(app: App) -> Sequence[Runner]:
    """In every role: revoked sessions, the lanes that send, what tells other nodes, and a look at the object store."""
    return [*operations.background(app), *app.sender.lanes, *app.announcer.runners, ObjectWatch(app.objects)]


def consumers(app: App) -> Sequence[Runner]:
    """Other services' events; and what follows the service's own."""
    return [*operations.consumers(app, subscriptions), *operations.consumers(app, stream_consumer)]


def jobs(app: App) -> Sequence[Runner]:
    return [
        *scheduling_jobs(app),
        *poll_jobs(app),
        *lifecycle_jobs(app),
        *core_jobs(app),
        *bot_jobs(app),
        *file_jobs(app),
        *operations.housekeeping(app),
    ]
