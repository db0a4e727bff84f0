"""Operators' commands about what was written: retention, legal hold, erasure, export, the index anew, the audit."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from chassis.run import Command
from messaging.lifecycle.adapters.held_reads import HeldKeys
from messaging.lifecycle.adapters.hold_export_job import ExportHold, export_hold
from messaging.lifecycle.adapters.person_export_job import export_person
from messaging.lifecycle.domain.hold import NotHeldError
from messaging.lifecycle.entrypoints.jobs import find_violations, retention_of
from messaging.lifecycle.entrypoints.routes.legal_holds import record_hold
from messaging.lifecycle.usecases.apply_retention import apply_retention
from messaging.lifecycle.usecases.erase_person import ErasePerson, erase_person
from messaging.lifecycle.usecases.make_months import make_months
from messaging.search.usecases.reindex_messages import reindex_messages
from messaging.wiring import NAME, App
from operations import audit_command
from operations.acts import BEGUN, DONE, FAILED, REFUSED, at_console, record_alone
from operations.commands.console import fail, print_line, reason_text


async def command_reindex(app: App, arguments: argparse.Namespace) -> None:
    count = await reindex_messages(
        arguments.dialog, app.begin, app.blind, lambda so_far: print_line(f"{so_far:,} messages")
    )
    print_line(f"done: {count:,} messages can be found")


async def command_retention(app: App, _: argparse.Namespace) -> None:
    made = await make_months(app.clock.now(), app.begin)
    ended = await apply_retention(retention_of(app), app.begin)
    print_line(
        f"months made: {made}; dialogs shortened: {ended.dialogs}; rows deleted: {ended.rows:,}; "
        f"months dropped: {ended.months}; rows kept under legal hold: {ended.held:,}; "
        f"changes of accounts ended: {ended.account_changes:,}"
    )


async def command_export(app: App, arguments: argparse.Namespace) -> None:
    await asyncio.to_thread(arguments.out.mkdir, parents=True, exist_ok=True)
    act = at_console("person.export", NAME, user_id=arguments.user)
    await record_alone(act.ended(BEGUN), app)
    async with app.database.read() as conn:
        counts = await export_person(arguments.user, arguments.out, conn, app.keys, app.objects, tell=print_line)
    await record_alone(act, app)
    for name, count in sorted(counts.items()):
        print_line(f"{name}.jsonl: {count:,} lines")


async def command_erase(app: App, arguments: argparse.Namespace) -> None:
    command = ErasePerson(user_id=arguments.user, reason="requested", now=app.clock.now())
    act = at_console("person.erase", NAME, user_id=arguments.user)
    await record_alone(act.ended(BEGUN), app)
    await erase_person(command, app.begin, app.keys, print_line)
    await record_alone(act, app)
    print_line("erased")


async def command_hold(app: App, arguments: argparse.Namespace) -> int:
    """Exit code 1 when an export is refused."""
    if arguments.act == "export":
        return await _export_hold(app, arguments)
    held = arguments.act == "put"
    act = at_console(f"legal_hold.{arguments.act}", NAME, reason=arguments.reason or "", dialog_id=arguments.dialog)
    done = await record_hold(app, arguments.dialog, act, held=held)
    print_line(("held" if held else "lifted") if done.changed else "nothing to change")
    return 0


async def _export_hold(app: App, arguments: argparse.Namespace) -> int:
    """Told before the first row is read, and by its outcome after."""
    reason, folder = (arguments.reason or "").strip(), arguments.out
    if not reason or folder is None:
        return fail("an export needs --out FOLDER and --reason WHY")
    act = at_console("legal_hold.export", NAME, reason=reason, dialog_id=arguments.dialog)
    await record_alone(act.ended(BEGUN), app)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    keys = HeldKeys(app.keys.wrapping)
    command = ExportHold(dialog_id=arguments.dialog, folder=folder, reason=reason)
    try:
        done = await export_hold(command, app.database.read, keys, app.objects, print_line)
    except NotHeldError as error:
        await record_alone(act.ended(REFUSED), app)
        return fail(str(error))
    except BaseException:
        await record_alone(act.ended(FAILED), app)
        raise
    await record_alone(act.ended(DONE, messages=done.messages, files=done.files), app)
    print_line(f"exported: {done.messages:,} messages, {done.files:,} files; {done.missing:,} files have no bytes")
    return 0


def _user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", type=UUID, metavar="USER", help="user id")


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    _user(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the files; made if missing")


def _reindex_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dialog", type=UUID, help="only this dialog")


def _hold_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("act", choices=("put", "lift", "export"))
    parser.add_argument("dialog", type=UUID, metavar="DIALOG", help="dialog id")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="export: folder for the files; made if missing")
    parser.add_argument("--reason", type=reason_text, help="why; kept with the act, and needed for an export")


COMMANDS: Final[Mapping[str, Command]] = {
    "audit": audit_command(lambda app, conn, _given: find_violations(app, conn)),
    "reindex": Command("index messages anew for search", command_reindex, _reindex_arguments),
    "retention": Command("make months, and end what is past its time, now", command_retention),
    "export-person": Command("write all that a person wrote and did to files", command_export, _export_arguments),
    "erase-person": Command("make all that a person wrote unreadable, for good", command_erase, _user),
    "legal-hold": Command(
        "put a dialog under legal hold, lift it, export what it keeps", command_hold, _hold_arguments
    ),
}
