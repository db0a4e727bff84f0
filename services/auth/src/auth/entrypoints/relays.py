"""The relay that moves auth's outbox to Kafka."""

from __future__ import annotations

from auth.wiring import App
from chassis.run import Runner
from eventing import Relay


def relays(app: App) -> list[Runner]:
    return [
        Relay(
            dsn=app.settings.database_dsn.get_secret_value(),
            config=app.transactions.outbox_config,
            kafka=app.kafka,
            wakeups=app.transactions.wakeups,
        )
    ]
