"""The life of what was written after it was sent: jobs, operators' routes and commands.

Retention, months, legal hold, erasure, export, the index anew, the audit.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import structlog
from pydantic import Field

from chassis.http import Query, ReadableText, Routes, View, roles
from chassis.postgres import Connection
from chassis.run import Command, Periodic, Runner
from chassis.tokens import Principal
from messaging.lifecycle.adapters.erasure_store import ErasureStore
from messaging.lifecycle.adapters.held_reads import HeldKeys
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.sealed_reads import audit_sealed
from messaging.lifecycle.usecases.apply_retention import apply_retention, make_months
from messaging.lifecycle.usecases.erase_person import ErasePerson, erase_person
from messaging.lifecycle.usecases.export_hold import ExportHold, NotHeldError, export_hold
from messaging.lifecycle.usecases.export_person import export_person
from messaging.lifecycle.usecases.hold_dialog import NoSuchDialogError, hold_dialog
from messaging.search.usecases.reindex_messages import reindex_messages
from messaging.wiring import NAME, App
from operations import audit_command, audit_job
from operations.acts import (
    BEGUN,
    DONE,
    FAILED,
    REFUSED,
    UNCHANGED,
    Act,
    at_console,
    by_person,
    record,
    record_alone,
    record_refusal,
)
from operations.commands.console import fail, print_line, reason_text
from operations.invariants import Finding, broken, snapshot

RETENTION_EVERY_S: Final = 900.0
ERASURES_EVERY_S: Final = 60.0
MONTHS_EVERY_S: Final = 6 * 3600.0
ERASURES_AT_ONCE: Final = 20
HOLD: Final = "/v1/ops/messaging/dialogs/{dialog_id}/legal-hold"
OPS: Final = roles("ops", "admin")

routes = Routes(tag="operators")
log = structlog.get_logger(__name__)


class LegalHoldView(View):
    dialog_id: UUID
    held: bool
    changed: bool


class WhyQuery(Query):
    reason: Annotated[ReadableText, Field(max_length=500)] = ""


@routes.put(HOLD, auth=OPS, errors=(NoSuchDialogError,), summary="Put a dialog under legal hold")
async def put_legal_hold(dialog_id: UUID, query: WhyQuery, principal: Principal, app: App) -> LegalHoldView:
    """Nothing written in it is destroyed while it holds; nobody in the dialog is told."""
    act = by_person("legal_hold.put", NAME, principal, reason=query.reason, dialog_id=dialog_id)
    return await _hold(app, dialog_id, act, held=True)


@routes.delete(HOLD, auth=OPS, status=200, errors=(NoSuchDialogError,), summary="Lift a legal hold")
async def delete_legal_hold(dialog_id: UUID, query: WhyQuery, principal: Principal, app: App) -> LegalHoldView:
    """What only the hold kept is destroyed."""
    act = by_person("legal_hold.lift", NAME, principal, reason=query.reason, dialog_id=dialog_id)
    return await _hold(app, dialog_id, act, held=False)


async def _hold(app: App, dialog_id: UUID, act: Act, *, held: bool) -> LegalHoldView:
    try:
        async with app.begin() as tx:
            changed = await hold_dialog(dialog_id, tx, held=held)
            before = {"held": held if not changed else not held}
            record(replace(act, before=before, after={"held": held}, outcome=DONE if changed else UNCHANGED), tx)
    except NoSuchDialogError as refusal:
        await record_refusal(act, refusal, app)
        raise
    return LegalHoldView(dialog_id=dialog_id, held=held, changed=changed)


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("months", MONTHS_EVERY_S, lambda: make_months(app.begin, app.clock.now())),
        Periodic("retention", RETENTION_EVERY_S, lambda: run_retention(app)),
        Periodic("erasures", ERASURES_EVERY_S, lambda: run_erasures(app)),
        audit_job(app, lambda conn: count_violations(app, conn)),
    ]


async def run_retention(app: App) -> None:
    """Hide and delete what is past its time."""
    await apply_retention(app.begin, app.settings.retention_days_max, app.clock.now())


async def run_erasures(app: App) -> None:
    """Those whose time has come, and those that were cut short. One that fails holds up no other, and is told of."""
    async with app.database.read() as conn:
        due = await ErasureStore(conn).due_erasures(app.clock.now(), ERASURES_AT_ONCE)
    failed = []
    for user_id in due:
        command = ErasePerson(user_id=user_id, reason="account_deleted", now=app.clock.now())
        try:
            await erase_person(command, app.begin, app.keys)
        except Exception as error:
            log.exception("erasure.failed", user_id=str(user_id))
            failed.append(error)
    if failed:
        raise ExceptionGroup("erasures failed", failed)


async def find_violations(app: App, conn: Connection) -> Sequence[Finding]:
    """What the queries find, and what does not open."""
    return [*await audit(conn), await audit_sealed(conn, app.keys.wrapping)]


async def count_violations(app: App, conn: Connection) -> int:
    async with snapshot(conn):
        return len(broken(await find_violations(app, conn)))


async def command_reindex(app: App, arguments: argparse.Namespace) -> None:
    count = await reindex_messages(
        arguments.dialog, app.begin, app.blind, lambda so_far: print_line(f"{so_far:,} messages")
    )
    print_line(f"done: {count:,} messages can be found")


async def command_retention(app: App, _: argparse.Namespace) -> None:
    made = await make_months(app.begin, app.clock.now())
    ended = await apply_retention(app.begin, app.settings.retention_days_max, app.clock.now())
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
    done = await _hold(app, arguments.dialog, act, held=held)
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
