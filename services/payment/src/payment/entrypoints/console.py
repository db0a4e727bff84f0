"""What an operator can ask of payment on the command line."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import Final

from chassis.run import Command
from eventing import dead_letters, redrive, replay
from payment.adapters import audit
from payment.entrypoints.consumers import subscriptions
from payment.wiring import App

EXIT_BROKEN: Final = 1


async def run_audit(app: App, _: argparse.Namespace) -> int:
    """Exit code 1 when an invariant does not hold."""
    async with app.database.read() as conn:
        findings = await audit.audit(conn)
    sys.stdout.write(audit.report(findings) + "\n")
    return EXIT_BROKEN if any(finding.count for finding in findings) else 0


async def run_dead_letters(app: App, arguments: argparse.Namespace) -> int:
    """List, redrive or discard."""
    schema = app.settings.database_schema
    if arguments.action == "redrive":
        report = await redrive.redrive(subscriptions, begin=app.begin, config=app.outbox_config, letter_id=arguments.id)
        sys.stdout.write(f"{report.redriven} redriven\n")
        for letter_id, error in report.failed:
            sys.stdout.write(f"{letter_id} failed again: {error}\n")
        return EXIT_BROKEN if report.failed else 0
    async with app.database.begin() as conn:
        if arguments.action == "discard":
            return 0 if await dead_letters.discard(conn, schema, arguments.id) else EXIT_BROKEN
        for letter in await dead_letters.list_dead_letters(conn, schema):
            sys.stdout.write(f"{letter}\n")
    return 0


async def run_replay(app: App, arguments: argparse.Namespace) -> int:
    """Publish again what was published."""
    async with app.database.read() as conn:
        count = await replay.replay(
            conn,
            app.outbox_config,
            arguments.topic,
            since=arguments.since,
            until=arguments.until,
            to=arguments.to,
        )
    sys.stdout.write(f"{count} records\n")
    return 0


def _dead_letters_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "redrive", "discard"))
    parser.add_argument("--id", type=int, help="one letter; its key's letters are tried in order")


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", required=True)
    parser.add_argument("--since", type=datetime.fromisoformat, required=True, help="ISO 8601 with a zone")
    parser.add_argument("--until", type=datetime.fromisoformat, required=True, help="ISO 8601 with a zone")
    parser.add_argument("--to", help="another topic")


COMMANDS: Final = {
    "audit": Command("check every invariant on the live database", run_audit),
    "dead-letters": Command("records that could not be handled", run_dead_letters, _dead_letters_arguments),
    "replay": Command("publish what was published once more", run_replay, _replay_arguments),
}
