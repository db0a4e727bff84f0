"""What bots need done by the clock: updates collected and forgotten, webhooks called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chassis.run import Periodic, Runner
from messaging.bots.entrypoints.jobs.bot_updates import collect_new, forget_old
from messaging.bots.entrypoints.jobs.webhook_calls import WebhookCalls
from messaging.bots.usecases.collect_updates import PutOff
from messaging.wiring import App

COLLECT_EVERY_S, COLLECT_IDLE_S = 0.3, 1.0
FORGET_EVERY_S: Final = 600.0


def jobs(app: App) -> Sequence[Runner]:
    put_off: PutOff = {}
    return [
        Periodic("bot-updates", COLLECT_EVERY_S, lambda: collect_new(app, put_off), idle_s=COLLECT_IDLE_S),
        Periodic("bot-updates-clean", FORGET_EVERY_S, lambda: forget_old(app)),
        WebhookCalls(app),
    ]
