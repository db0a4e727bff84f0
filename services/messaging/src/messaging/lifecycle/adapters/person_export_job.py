"""All that a person wrote and did in messaging, as JSON Lines, one file a kind, and the files they uploaded.

``attachments`` says where their messages show what; ``uploads`` lists their own files, whose bytes are in ``files/``
(of another's file that they passed on there is only the id). Reads page by page, so memory does not grow with what
there is. Invariant: nothing another person wrote is in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import orjson

from chassis.postgres import Connection
from messaging.core.adapters import document_reads
from messaging.lifecycle.adapters.export_reads import ExportReads, ExportRows
from objects.exports import copy_object, export_path
from objects.store import ObjectStore
from sealing import PersonKeys

_TOLD_EVERY: Final = 10_000
Progress = Callable[[str], None]


async def export_person(
    user_id: UUID,
    folder: Path,
    conn: Connection,
    keys: PersonKeys,
    objects: ObjectStore,
    *,
    tell: Progress = lambda _: None,
) -> Mapping[str, int]:
    """How many lines each file has. The folder is there; files of an earlier export in it are replaced."""
    await keys.load(conn, [user_id])
    with ExitStack() as stack:
        export = _Export(folder, stack, tell)
        async for name, rows in ExportRows(conn).small_tables(user_id):
            await export.write(name, rows)
        async for name, rows in ExportReads(conn, keys).sealed(user_id):
            await export.write(name, rows)
        async for dialog in ExportRows(conn).dialogs(user_id):
            export.line("dialogs", dialog)
            await _dialog(export, dialog["dialog_id"], user_id, conn, keys)
        async for upload in ExportRows(conn).files(user_id):
            name = export_path(upload["attachment_id"], upload["file_name"])
            there = await copy_object(objects, upload["attachment_id"], folder / name)
            export.line("uploads", {**upload, "file": name if there else None})
        counts = dict(export.counts)
    (folder / "manifest.json").write_bytes(orjson.dumps({"user_id": user_id, "lines": counts}, option=_PRETTY))
    return counts


async def _dialog(export: _Export, dialog_id: UUID, user_id: UUID, conn: Connection, keys: PersonKeys) -> None:
    async for message in ExportReads(conn, keys).messages(user_id, dialog_id):
        export.line("messages", message)
        for attachment_id in _attachments(message["content"] or {}):
            export.line("attachments", {"attachment_id": attachment_id, "dialog_id": dialog_id, "seq": message["seq"]})
        await keys.load(conn, [user_id])
    await export.write("revisions", ExportReads(conn, keys).revisions(user_id, dialog_id))
    for name in ("reactions", "votes"):
        await export.write(name, ExportRows(conn).acts(name, user_id, dialog_id))


def _attachments(content: Mapping[str, Any]) -> list[str]:
    one = content.get("attachment_id")
    return [*content.get("attachment_ids", ()), *([one] if one else ())]


class _Export:
    """The files, opened as they are needed."""

    def __init__(self, folder: Path, stack: ExitStack, tell: Progress) -> None:
        self._folder = folder
        self._stack = stack
        self._tell = tell
        self._files: dict[str, IO[bytes]] = {}
        self.counts: dict[str, int] = {}

    def line(self, name: str, row: Mapping[str, Any]) -> None:
        if name not in self._files:
            self._files[name] = self._stack.enter_context((self._folder / f"{name}.jsonl").open("wb"))
            self.counts[name] = 0
        self._files[name].write(document_reads.to_json(row) + b"\n")
        self.counts[name] += 1
        if self.counts[name] % _TOLD_EVERY == 0:
            self._tell(f"{name}: {self.counts[name]:,}")

    async def write(self, name: str, rows: AsyncIterator[Mapping[str, Any]]) -> None:
        async for row in rows:
            self.line(name, row)


_PRETTY: Final = orjson.OPT_INDENT_2
