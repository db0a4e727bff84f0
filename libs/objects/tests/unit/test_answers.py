"""An object over HTTP, from a folder and from afar: the same answers."""

import uuid

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from objects import answers
from objects.answers import RangeRefusedError, answer_of
from objects.disk_store import DiskStore
from objects.store import ObjectMeta

KEY = str(uuid.uuid4())
CONTENT = bytes(range(256)) * 10


class Afar:
    """A store whose objects have no path here; counts what is asked of it at once."""

    def __init__(self):
        self.parts = []

    async def find(self, key):
        if key != KEY:
            raise FileNotFoundError(key)
        return ObjectMeta(size_bytes=len(CONTENT), etag='"tag"')

    async def read(self, key, meta, start, stop):
        self.parts.append(stop - start)
        return CONTENT[start:stop]


@pytest_asyncio.fixture(params=["folder", "afar"])
async def client(request, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "CHUNK_BYTES", 100)
    objects = Afar()
    if request.param == "folder":
        objects = DiskStore(tmp_path)
        await objects.put(KEY, CONTENT)

    async def handle(asked):
        try:
            return await answer_of(asked, objects, asked.match_info["key"], {"Content-Type": "image/png"})
        except FileNotFoundError:
            return web.Response(status=404)
        except RangeRefusedError as refusal:
            return web.Response(status=416, headers=refusal.headers, text=refusal.reason)

    app = web.Application()
    app.router.add_get("/{key}", handle)
    async with TestClient(TestServer(app)) as made:
        made.objects = objects
        yield made


async def get(client, key=KEY, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.get(f"/{key}", headers=names) as answer:
        return answer.status, answer.headers, await answer.read()


async def test_the_whole_goes_in_bounded_parts(client):
    status, headers, content = await get(client)
    assert (status, headers["Content-Type"], content) == (200, "image/png", CONTENT)
    assert (headers["Accept-Ranges"], int(headers["Content-Length"])) == ("bytes", len(CONTENT))
    assert max(getattr(client.objects, "parts", [0])) <= 100


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-204", 5, 205),
        ("bytes=2500-", 2500, 2560),
        ("bytes=-9", 2551, 2560),
        ("bytes=0-9999", 0, 2560),
    ],
)
async def test_a_part(client, asked, start, stop):
    status, headers, content = await get(client, Range=asked)
    assert (status, content) == (206, CONTENT[start:stop])
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=2560-", "bytes=9999-", "letters=1-2", "bytes=0-1,4-5"])
async def test_what_is_no_part_is_refused_with_the_size(client, asked):
    status, headers, _ = await get(client, Range=asked)
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


async def test_conditions(client):
    _, headers, _ = await get(client)
    etag = headers["ETag"]
    assert [(await get(client, If_None_Match=each))[0] for each in (etag, "*", '"other"')] == [304, 304, 200]
    assert (await get(client, If_None_Match=etag, Range="bytes=9999-"))[0] == 304
    assert (await get(client, Range="bytes=0-3", If_Range=etag))[0] == 206


async def test_from_afar_a_part_of_other_bytes_is_the_whole(client):
    if isinstance(client.objects, Afar):
        assert (await get(client, Range="bytes=0-3", If_Range='"other"'))[2] == CONTENT


async def test_what_is_not_there(client):
    assert (await get(client, key=str(uuid.uuid4())))[0] == 404
