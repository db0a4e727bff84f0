"""Objects as files in a folder, for exports."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final
from uuid import UUID

from objects.store import ObjectStore

FOLDER: Final = "files"
_PART_BYTES: Final = 4 * 1024 * 1024
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def export_path(object_id: UUID, file_name: str) -> str:
    """The file's path in an export: its id, which leads nowhere else, with the ending its name had."""
    ending = _ENDING.search(file_name)
    return f"{FOLDER}/{object_id}{ending.group().lower() if ending else ''}"


async def copy_object(objects: ObjectStore, object_id: UUID, target: Path) -> bool:
    """The bytes, a bounded part at a time; False when there are none. A copy that was cut short has another name."""
    key = str(object_id)
    partial = target.with_name(target.name + ".part")
    try:
        meta = await objects.find(key)
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(partial.write_bytes, b"")
        for start in range(0, meta.size_bytes, _PART_BYTES):
            part = await objects.read(key, meta, start, min(start + _PART_BYTES, meta.size_bytes))
            await asyncio.to_thread(_append, partial, part)
    except FileNotFoundError:
        await asyncio.to_thread(partial.unlink, missing_ok=True)
        return False
    await asyncio.to_thread(partial.replace, target)
    return True


def _append(path: Path, part: bytes) -> None:
    with path.open("ab") as file:
        file.write(part)
