"""``python -m orchestrator dead-letters | replay``: eventing's operations on this service's own tables."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from eventing import dead_letters, redrive, replay
from orchestrator.entrypoints.consumers import subscriptions
from orchestrator.wiring import App

FAILED = 1


async def run_dead_letters(app: App, arguments: argparse.Namespace) -> int:
    """List, redrive or discard."""
    schema = app.settings.database_schema
    if arguments.action == "redrive":
        report = await redrive.redrive(
            subscriptions(app.registry), begin=app.begin, config=app.outbox_config, letter_id=arguments.id
        )
        sys.stdout.write(f"{report.redriven} redriven\n")
        for letter_id, error in report.failed:
            sys.stdout.write(f"{letter_id} failed again: {error}\n")
        return FAILED if report.failed else 0
    async with app.database.begin() as conn:
        if arguments.action == "discard":
            return 0 if await dead_letters.discard(conn, schema, arguments.id) else FAILED
        for letter in await dead_letters.list_dead_letters(conn, schema):
            sys.stdout.write(f"{letter}\n")
    return 0


def dead_letter_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="those that wait")
    again = actions.add_parser("redrive", help="handle them again, in order per key")
    again.add_argument("--id", type=int, default=None, help="only the key of this letter")
    away = actions.add_parser("discard", help="close one without its effect")
    away.add_argument("id", type=int)


async def run_replay(app: App, arguments: argparse.Namespace) -> int:
    """Publish again what was published; ids stay, so consumers that have it skip it."""
    async with app.database.read() as conn:
        count = await replay.replay(
            conn, app.outbox_config, arguments.topic, since=arguments.since, until=arguments.until, to=arguments.to
        )
    sys.stdout.write(f"{count} records put back into the outbox\n")
    return 0


def replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", required=True)
    parser.add_argument("--since", required=True, type=datetime.fromisoformat, help="with a time zone")
    parser.add_argument("--until", required=True, type=datetime.fromisoformat, help="with a time zone")
    parser.add_argument("--to", default=None, help="another topic")
