"""``replay``: publish again what was published. Event ids stay, so consumers that have a record skip it."""

from __future__ import annotations

import argparse
from typing import Final

from chassis.run import Command
from eventing.replay import replay
from operations.acts import BEGUN, at_console, record_alone
from operations.acts import DONE as ACT_DONE
from operations.app import OperatedApp, service_of
from operations.commands.console import DONE, fail, moment, print_line, reason_argument

_EPILOG: Final = """\
Reads the event log and puts its records back into the outbox, in order per key, with their original ids:

  --topic public.auth.user.v1 --since 2026-01-01 --until 2026-02-01

A consumer that has handled a record skips it; one with a new name, or another topic (--to), gets it anew."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("--topic", required=True, help="without prefix")
    parser.add_argument("--since", required=True, type=moment, help="ISO 8601; UTC unless it says otherwise")
    parser.add_argument("--until", required=True, type=moment, help="the first moment not to publish again")
    parser.add_argument("--to", metavar="TOPIC", help="another topic, without prefix (default: the same)")
    parser.add_argument("--key", help="only the records of this key")
    reason_argument(parser)


async def _run(app: OperatedApp, given: argparse.Namespace) -> int:
    if given.since >= given.until:
        return fail("--since is not before --until")
    target = {
        "topic": given.topic,
        "to": given.to,
        "record_key": given.key,
        "since": given.since.isoformat(),
        "until": given.until.isoformat(),
    }
    act = at_console("replay", service_of(app), reason=given.reason, **target)
    await record_alone(act.ended(BEGUN), app)  # each page is a transaction of its own
    async with app.database.read() as conn:
        records = await replay(
            conn, app.outbox_config, given.topic, since=given.since, until=given.until, to=given.to, key=given.key
        )
    await record_alone(act.ended(ACT_DONE, records=records), app)
    print_line(f"{records} records go out again")
    return DONE


REPLAY: Final = Command("publish again what was published", _run, _arguments)
