"""``parked list | release``: keys whose records the broker refuses."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final
from uuid import UUID

from chassis.run import Command
from chassis.telemetry.masking import mask_text
from eventing.parking import parked_keys, release
from operations.acts import REFUSED, at_console, record
from operations.app import OperatedApp, schema_of, service_of
from operations.commands.console import DONE, fail, print_line, print_table, reason_argument

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
    reason_argument(back)


async def _run(app: OperatedApp, given: argparse.Namespace) -> int:
    if given.action == "release":
        return await _release(app, given)
    async with app.database.read() as conn:
        parked = await parked_keys(conn, schema_of(app))
    rows = [
        (each.topic, each.key, each.records, each.parked_at, each.event_id, mask_text(each.error)) for each in parked
    ]
    print_table(("topic", "key", "records", "parked at", "event id", "error"), rows, empty="no key is parked")
    return DONE


async def _release(app: OperatedApp, given: argparse.Namespace) -> int:
    target = {"topic": given.topic, "record_key": given.key, "discarded": given.discard}
    act = at_console("parked.release", service_of(app), reason=given.reason, **target)
    async with app.begin() as tx:
        parked = {(each.topic, each.key): each for each in await parked_keys(tx.conn, schema_of(app))}
        found = parked.get((given.topic, given.key))
        if found is None:
            record(act.ended(REFUSED), tx)
            records = 0
        else:
            records = await release(tx.conn, schema_of(app), given.topic, given.key, discard=given.discard)
            before = {"parked": found.records, "error": mask_text(found.error)}
            record(replace(act, before=before, after={"records": records}), tx)
    if found is None:
        return fail(f"no key {given.key} of {given.topic} is parked")
    print_line(f"{records} records go out again")
    return DONE


PARKED: Final = Command("keys whose records the broker refuses: list, release", _run, _arguments)
