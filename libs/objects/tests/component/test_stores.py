"""What both stores keep to, whoever uses them: one suite, a folder and a bucket."""

import hashlib
import os
import random
import signal
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
import pytest

from objects.disk_store import DiskStore
from objects.s3_store import S3Store
from objects.store import S3Access, StoreUnavailableError


@dataclass
class Disk:
    folder: Path
    store: Any = field(init=False)

    def __post_init__(self):
        self.store = DiskStore(self.folder)

    async def leave(self):
        self.folder.rename(self.folder.with_suffix(".away"))
        self.folder.write_text("a file is where the folder was")

    async def come_back(self):
        self.folder.unlink()
        self.folder.with_suffix(".away").rename(self.folder)


def access_of(server, **changed):
    names = ("endpoint", "bucket", "access_key_id", "secret_access_key")
    return S3Access(**{"region": "us-east-1", **{name: getattr(server, name) for name in names}, **changed})


@dataclass
class Bucket:
    server: Any
    folder: Path
    store: Any = field(init=False)

    def __post_init__(self):
        self.store = S3Store(access_of(self.server), self.folder)

    async def leave(self):
        await self.server.kill()

    async def come_back(self):
        await self.server.start()

    async def pieces(self, key):
        return await self.store._list_pieces(key)


@pytest.fixture(params=["disk", "s3"])
def place(request, tmp_path):
    (tmp_path / "objects").mkdir()
    return Disk(tmp_path / "objects") if request.param == "disk" else bucket_of(request, tmp_path)


@pytest.fixture
def bucket(request, tmp_path):
    return bucket_of(request, tmp_path)


def bucket_of(request, tmp_path):
    return Bucket(request.getfixturevalue("s3"), tmp_path / "judged")


@pytest.fixture
def key():
    return str(uuid.uuid4())


async def write_in_pieces(store, key, content, length):
    for offset in range(0, len(content), length):
        await store.write(key, offset, content[offset : offset + length])


async def joined(store, key, size):
    async with store.local(key, size) as path:
        return path.read_bytes()


async def read(store, key, start, stop):
    return await store.read(key, await store.find(key), start, stop)


async def test_pieces_of_any_length_are_one_file(place, key):
    content, store = os.urandom(300_000), place.store
    offset = 0
    while offset < len(content):
        length = random.choice([1, 7, 4096, 50_001])
        await store.write(key, offset, content[offset : offset + length])
        offset += length
    assert await joined(store, key, len(content)) == content


async def test_thirty_megabytes_in_small_pieces(place, key):
    content, store = os.urandom(30 * 1024 * 1024), place.store
    await write_in_pieces(store, key, content, 64 * 1024)
    async with store.local(key, len(content)) as path:
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
        await store.put(key, path)
    assert (await store.find(key)).size_bytes == len(content)
    assert await read(store, key, 29_999_990, 30_000_010) == content[29_999_990:30_000_010]


async def test_a_piece_that_is_written_again_changes_nothing(place, key):
    store = place.store
    for piece in (b"abcdefgh", b"abc", b"abc"):  # the node died after it had written more than the client sent again
        await store.write(key, 0, piece)
    await store.write(key, 3, b"defghij")
    assert await joined(store, key, 10) == b"abcdefghij"


async def test_what_is_not_all_there_is_not_given(place, key):
    store = place.store
    for size in (0, 4):
        with pytest.raises(FileNotFoundError):
            await joined(store, key, size + 1)
        await store.write(key, 0, b"abcd")
    with pytest.raises(FileNotFoundError):
        await joined(store, key, 3)


async def test_an_object_is_read_in_part_and_looked_at_again(place, key):
    store = place.store
    await write_in_pieces(store, key, b"0123456789", 4)
    async with store.local(key, 10) as path:
        await store.put(key, path)
    meta = await store.find(key)
    assert (meta.size_bytes, meta.etag[:1]) == (10, '"')
    for start, stop in ((0, 10), (0, 1), (9, 10), (3, 7)):
        assert await store.read(key, meta, start, stop) == b"0123456789"[start:stop]
    assert await joined(store, key, 10) == b"0123456789"


async def test_a_thumbnail_is_an_object_of_its_own(place, key):
    store = place.store
    await store.put(f"{key}.320", b"small")
    await store.put(f"{key}.320", b"small")
    await store.put(f"{key}.1280", b"larger")
    assert await read(store, f"{key}.320", 0, 5) == b"small"
    await store.remove(f"{key}.320")
    assert await read(store, f"{key}.1280", 0, 6) == b"larger"


async def test_what_is_removed_is_gone_and_may_be_removed_again(place, key):
    store = place.store
    await store.remove(key)
    await store.write(key, 0, b"never whole")
    await store.remove(key)
    await store.write(key, 0, b"whole")
    async with store.local(key, 5) as path:
        await store.put(key, path)
    for _ in range(2):
        await store.remove(key)
        with pytest.raises(FileNotFoundError):
            await store.find(key)
        with pytest.raises(FileNotFoundError):
            await joined(store, key, 5)


async def test_a_key_leads_nowhere_else(place):
    for key in ("../../etc/passwd", f"{uuid.uuid4()}/x", f"{uuid.uuid4()}.x"):
        with pytest.raises(ValueError, match=r"badly formed|invalid literal"):
            await place.store.write(key, 0, b"x")


async def test_a_store_that_is_away_says_so_and_has_lost_nothing(place, key):
    store = place.store
    await store.write(key, 0, b"before ")
    kept_key = str(uuid.uuid4())
    await store.put(kept_key, b"kept")
    await store.check()
    await place.leave()
    try:
        for ask in (
            lambda: store.write(key, 7, b"after"),
            lambda: store.put(kept_key, b"kept"),
            lambda: store.remove(kept_key),
            lambda: joined(store, key, 12),
            lambda: store.find(kept_key),
            store.check,
        ):
            with pytest.raises(StoreUnavailableError):
                await ask()
    finally:
        await place.come_back()
    await store.check()
    await store.write(key, 7, b"after")
    assert await joined(store, key, 12) == b"before after"
    assert await read(store, kept_key, 0, 4) == b"kept"


async def test_in_a_bucket_nothing_is_found_before_it_is_put_and_late_pieces_change_nothing(bucket, key):
    store = bucket.store
    await store.write(key, 0, b"judged")
    with pytest.raises(FileNotFoundError):
        await store.find(key)
    async with store.local(key, 6) as path:
        await store.put(key, path)
    assert await bucket.pieces(key) == []
    await store.write(key, 0, b"forged")
    assert await read(store, key, 0, 6) == b"judged"
    assert await joined(store, key, 6) == b"judged"
    assert await bucket.pieces(key) == []


async def test_in_a_bucket_the_length_of_a_file_is_bounded_and_no_copy_stays_here(bucket, key):
    store = bucket.store
    await write_in_pieces(store, key, b"x" * 100, 10)
    with pytest.raises(FileNotFoundError):
        await joined(store, key, 99)
    await joined(store, key, 100)
    assert list(bucket.folder.iterdir()) == []


async def test_of_a_killed_process_the_copies_go_at_the_next_start(s3, tmp_path):
    left, fresh = tmp_path / "judged-left", tmp_path / "judged-fresh"
    for path in (left, fresh):
        path.write_bytes(b"somebody's")
    os.utime(left, (0, 0))
    S3Store(access_of(s3), tmp_path)
    assert (left.exists(), fresh.exists()) == (False, True)


async def test_a_bucket_that_does_not_answer_is_given_up_soon(bucket, key, monkeypatch):
    monkeypatch.setattr("objects.s3_store.PIECE_S", 0.5)
    bucket.server.send(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailableError) as refused:
            await bucket.store.write(key, 0, b"x")
        assert refused.value.reason == "S3: no answer"
    finally:
        bucket.server.send(signal.SIGCONT)


@pytest.mark.parametrize("changed", [{"secret_access_key": "wrong"}, {"access_key_id": "nobody"}, {"bucket": "other"}])
async def test_refused_credentials_are_named(s3, tmp_path, changed):
    with pytest.raises(StoreUnavailableError) as refused:
        await S3Store(access_of(s3, **changed), tmp_path).check()
    assert refused.value.reason == "S3: our credentials are refused, or what they may do"


async def test_a_store_needs_no_more_of_a_bucket_than_to_read_write_and_list(s3):
    """The fixture's credentials may do nothing else, so every test here shows it; this one that they are limited."""
    other = obstore.store.S3Store(
        "elsewhere",
        endpoint=s3.endpoint,
        region="us-east-1",
        access_key_id=s3.access_key_id,
        secret_access_key=s3.secret_access_key,
        client_options={"allow_http": True},
    )
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        await obstore.put_async(other, "x", b"x")
