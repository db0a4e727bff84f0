"""What a legal hold keeps of a dialog, as JSON Lines and files: evidence, for operators who say why they need it.

Reads a page a time, so neither memory nor a snapshot grows with the dialog. The hold is asked for with each page: an
export of a dialog whose hold is lifted meanwhile ends there, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import orjson

from chassis.postgres import Connection
from messaging.core.adapters import document_reads
from messaging.lifecycle.adapters import held_reads
from messaging.lifecycle.adapters.held_reads import HeldFile, HeldKeys, HeldReads, HeldRows
from messaging.lifecycle.domain.hold import NotHeldError
from objects.exports import copy_object, export_path
from objects.store import ObjectStore

MANIFEST: Final = "manifest.json"
_FIRST: Final = UUID(int=0)
Progress = Callable[[str], None]
Read = Callable[[], "AbstractAsyncContextManager[Connection]"]


@dataclass(slots=True)
class Exported:
    """``missing``: files whose bytes were gone before the hold."""

    messages: int = 0
    members: int = 0
    files: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportHold:
    dialog_id: UUID
    folder: Path
    reason: str


async def export_hold(
    command: ExportHold, read: Read, keys: HeldKeys, objects: ObjectStore, tell: Progress = lambda _: None
) -> Exported:
    """The folder is there. The manifest is written last: without it an export is not whole. ``NotHeldError``."""
    done = Exported()
    (command.folder / MANIFEST).unlink(missing_ok=True)
    async with read() as conn:
        await _require_hold(conn, command.dialog_id)
        dialog = await HeldRows(conn).about(command.dialog_id)
    with (command.folder / "members.jsonl").open("wb") as out:
        await _members(command, read, out, done)
    with (
        (command.folder / "messages.jsonl").open("wb") as out,
        (command.folder / "attachments.jsonl").open("wb") as listed,
    ):
        after_seq = 0
        while True:
            async with read() as conn:
                await _require_hold(conn, command.dialog_id)
                messages, files = await HeldReads(conn, keys).messages_page(command.dialog_id, after_seq)
            _lines(out, messages)
            for each in files:
                await _file(each, command.folder, objects, listed, done)
            done.messages += len(messages)
            tell(f"{done.messages:,} messages, {done.files:,} files")
            if len(messages) < held_reads.PAGE:
                break
            after_seq = messages[-1]["seq"]
    manifest = {"dialog": dialog, "reason": command.reason, "counts": asdict(done)}
    text = orjson.dumps(orjson.loads(document_reads.to_json(manifest)), option=orjson.OPT_INDENT_2)
    (command.folder / MANIFEST).write_bytes(text)
    return done


async def _members(command: ExportHold, read: Read, out: IO[bytes], done: Exported) -> None:
    after = _FIRST
    while True:
        async with read() as conn:
            page = await HeldRows(conn).members_page(command.dialog_id, after)
        _lines(out, [dict(row) for row in page])
        done.members += len(page)
        if len(page) < held_reads.PAGE:
            return
        after = page[-1]["user_id"]


async def _file(file: HeldFile, folder: Path, objects: ObjectStore, listed: IO[bytes], done: Exported) -> None:
    """One file in two messages is copied once."""
    name = export_path(file.attachment_id, file.file_name)
    there = (folder / name).exists() or await copy_object(objects, file.attachment_id, folder / name)
    done.files += there
    done.missing += not there
    _lines(listed, [{**file.facts, "file": name if there else None}])


async def _require_hold(conn: Connection, dialog_id: UUID) -> None:
    held = await HeldRows(conn).is_held(dialog_id)
    if held is None:
        raise NotHeldError(f"there is no dialog {dialog_id}")
    if not held:
        raise NotHeldError(f"dialog {dialog_id} is not under legal hold: put it under one first, or it has been lifted")


def _lines(out: IO[bytes], rows: list[dict[str, Any]]) -> None:
    for row in rows:
        out.write(document_reads.to_json(row) + b"\n")
