"""``dead-letters list | show | redrive | discard``: records that could not be handled."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from typing import Final

from chassis.run import Command
from eventing.dead_letters import discard, find_dead_letter, list_dead_letters
from operations.acts import REFUSED, at_console, record
from operations.app import Handlers, OperatedApp, schema_of, service_of
from operations.commands.console import DONE, FAILED, fail, print_document, print_line, print_table, reason_argument
from operations.letters import error_of, failures, key_of, show
from operations.routes import redrive_on_record

_EPILOG: Final = """\
A dead letter stops the later records of its key until it is redriven or discarded; everything else goes on.

  list                    what waits, oldest first
  show 17                 all that is known of letter 17; personal data reads ***
  redrive --id 17         after the cause is mended: handle the letters of that key again, in order
  discard 17              close letter 17 without its effect; then redrive those behind it

A redrive may be cut short and repeated, and the consumer may be running: an effect and its letter's closing commit
together. Exit code 1 when a letter failed again."""


def dead_letters_command(handlers: Handlers) -> Command:
    """With the service's own handlers."""
    run = partial(_run, handlers)
    return Command("records that could not be handled: list, show, redrive, discard", run, _arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="those that wait, oldest first")
    listing.add_argument("--all", action="store_true", help="closed ones too")
    listing.add_argument("--after", type=int, default=0, metavar="ID", help="only those with a higher id")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100)")
    one = actions.add_parser("show", help="one letter, its content masked")
    one.add_argument("id", type=int)
    again = actions.add_parser("redrive", help="handle them again, each key's in order")
    which = again.add_mutually_exclusive_group()
    which.add_argument("--id", type=int, help="only the key of this letter (default: all that wait)")
    which.add_argument("--topic", help="only those of this topic, without prefix")
    away = actions.add_parser("discard", help="close one without its effect")
    away.add_argument("id", type=int)
    for each in (again, away):
        reason_argument(each)


async def _run(handlers: Handlers, app: OperatedApp, given: argparse.Namespace) -> int:
    match given.action:
        case "list":
            return await _list(app, given)
        case "show":
            return await _show(app, given.id)
        case "redrive":
            return await _redrive(handlers, app, given)
        case _:
            return await _discard(app, given)


async def _list(app: OperatedApp, given: argparse.Namespace) -> int:
    status = None if given.all else "waiting"
    async with app.database.read() as conn:
        letters = await list_dead_letters(
            conn, schema_of(app), status=status, after_id=given.after, limit=max(1, given.limit)
        )
    rows = [
        (each.id, each.dead_at, each.status, each.attempts, each.type, key_of(each), each.reason, error_of(each))
        for each in letters
    ]
    names = ("id", "dead at", "status", "attempts", "type", "key", "reason", "error")
    print_table(names, rows, empty="no dead letter waits" if status else "no dead letters")
    return DONE


async def _show(app: OperatedApp, letter_id: int) -> int:
    async with app.database.read() as conn:
        found = await find_dead_letter(conn, schema_of(app), letter_id)
    if found is None:
        return fail(f"there is no dead letter {letter_id}")
    letter, content = found
    shown = show(letter, content)
    print_document(
        {
            "id": letter.id,
            "status": letter.status,
            "reason": letter.reason,
            "error": error_of(letter),
            "attempts": letter.attempts,
            "dead_at": letter.dead_at,
            "closed_at": letter.closed_at,
            "consumer": letter.consumer,
            "type": letter.type,
            "event_id": letter.event_id,
            "key": key_of(letter),
            "from": f"{letter.topic}, partition {letter.partition}, offset {letter.record_offset}",
            "waiting_of_this_key": content.waiting_of_key,
            "headers": shown.headers,
            "body": shown.body if shown.unreadable is None else shown.unreadable,
        }
    )
    return DONE


async def _redrive(handlers: Handlers, app: OperatedApp, given: argparse.Namespace) -> int:
    act = at_console(
        "dead_letters.redrive", service_of(app), reason=given.reason, letter_id=given.id, topic=given.topic
    )
    report = await redrive_on_record(app, handlers, act, letter_id=given.id, topic=given.topic)
    print_line(f"{report.redriven} redriven")
    failed = failures(report)
    for letter_id, error in failed:
        print_line(f"{letter_id} failed again: {error}")
    return FAILED if failed else DONE


async def _discard(app: OperatedApp, given: argparse.Namespace) -> int:
    act = at_console("dead_letters.discard", service_of(app), reason=given.reason, letter_id=given.id)
    async with app.begin() as tx:
        closed = await discard(tx.conn, schema_of(app), given.id)
        if closed:
            record(replace(act, before={"status": "waiting"}, after={"status": "discarded"}), tx)
        else:
            record(act.ended(REFUSED), tx)
    if not closed:
        return fail(f"no dead letter {given.id} waits")
    print_line(f"{given.id} discarded; redrive --id {given.id} frees its key")
    return DONE
