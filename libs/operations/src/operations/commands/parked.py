"""``parked list | release``: keys whose records the broker refuses."""

from __future__ import annotations

import argparse
from typing import Final
from uuid import UUID

from chassis.run import Command
from chassis.telemetry.masking import mask_text
from eventing.parking import parked_keys, release
from operations.acts import audited, person_at_the_console
from operations.app import OperatedApp, schema_of, service_of
from operations.commands.console import DONE, complain, say, say_table

_EPILOG: Final = """\
The broker refused a record for good (too large, no such topic, no right). Its key's later records wait behind it.

  list                                              the keys, and the record at fault
  release TOPIC KEY                                 after the cause is mended: send all of them, in order
  release TOPIC KEY --discard EVENT_ID              send all but the one at fault"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="parked keys, the oldest first")
    back = actions.add_parser("release", help="give a key's records back to the relay")
    back.add_argument("topic", help="without prefix, as the list shows it")
    back.add_argument("key")
    back.add_argument("--discard", type=UUID, metavar="EVENT_ID", help="drop this one record")


async def _run(app: OperatedApp, given: argparse.Namespace) -> int:
    if given.action == "release":
        return await _release(app, given)
    async with app.database.read() as conn:
        parked = await parked_keys(conn, schema_of(app))
    rows = [
        (each.topic, each.key, each.records, each.parked_at, each.event_id, mask_text(each.error)) for each in parked
    ]
    say_table(("topic", "key", "records", "parked at", "event id", "error"), rows, empty="no key is parked")
    return DONE


async def _release(app: OperatedApp, given: argparse.Namespace) -> int:
    async with app.database.read() as conn:
        known = any(
            (each.topic, each.key) == (given.topic, given.key) for each in await parked_keys(conn, schema_of(app))
        )
        records = await release(conn, schema_of(app), given.topic, given.key, discard=given.discard) if known else 0
    audited(
        "parked.release",
        service=service_of(app),
        actor=person_at_the_console(),
        via="command",
        outcome="done" if known else "refused",
        topic=given.topic,
        record_key=given.key,
        discarded=given.discard,
        records=records,
    )
    if not known:
        return complain(f"no key {given.key} of {given.topic} is parked")
    say(f"{records} records go out again")
    return DONE


PARKED: Final = Command("keys whose records the broker refuses: list, release", _run, _arguments)
