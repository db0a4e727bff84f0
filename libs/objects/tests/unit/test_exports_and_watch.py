"""Copies for exports, and what readiness hears of the store."""

import asyncio
import os
import uuid

from objects import exports
from objects.disk_store import DiskStore
from objects.exports import copy_object, export_path
from objects.store import StoreUnavailableError
from objects.watch import ObjectWatch


def test_a_path_in_an_export_leads_nowhere_else():
    object_id = uuid.uuid4()
    assert export_path(object_id, "../../Photo.JPG") == f"files/{object_id}.jpg"
    for name in ("", "none", "a.b/c", "x.waytoolongending", "x.ย"):
        assert export_path(object_id, name) == f"files/{object_id}"


async def test_a_copy_is_whole_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "_PART_BYTES", 1000)
    store, object_id, content = DiskStore(tmp_path / "objects"), uuid.uuid4(), os.urandom(2500)
    target = tmp_path / "out" / "files" / "copy"
    assert not await copy_object(store, object_id, target)
    await store.put(str(object_id), content)
    for _ in range(2):
        assert await copy_object(store, object_id, target)
    assert target.read_bytes() == content
    assert [each.name for each in target.parent.iterdir()] == ["copy"]


class Store:
    """Says at each look whether it is away."""

    def __init__(self, seen, stop):
        self.reasons, self.seen, self.stop, self.watch = ["S3: no answer", None], seen, stop, None

    async def check(self):
        self.seen.append(self.watch.problem())
        if not self.reasons:
            self.stop.set()
        elif reason := self.reasons.pop(0):
            raise StoreUnavailableError(reason)


async def test_readiness_names_what_hinders_the_store_until_it_is_back():
    seen, stop = [], asyncio.Event()
    store = Store(seen, stop)
    store.watch = watch = ObjectWatch(store, every_s=0.001)
    assert (watch.name, watch.critical) == ("object-store", False)
    await asyncio.wait_for(watch.run(stop), 10)
    assert seen == ["not asked yet", "S3: no answer", None]
