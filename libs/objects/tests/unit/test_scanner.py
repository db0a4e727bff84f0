"""What clamd answers, and what is no verdict."""

import asyncio
import contextlib
import struct

import pytest

from objects.scanner import PIECE, ClamdScanner, ScannerUnavailableError


@contextlib.asynccontextmanager
async def clamd(answer):
    """Takes one file a connection, and answers; gives what it took."""
    taken = []

    async def serve(reader, writer):
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content = b""
        while size := struct.unpack(">I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(size)
        taken.append(content)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield ClamdScanner(*server.sockets[0].getsockname()[:2]), taken


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * (PIECE + 7))
    return tmp_path / "file"


@pytest.mark.parametrize(("answer", "verdict"), [(b"OK", None), (b"Eicar-Test FOUND", "Eicar-Test")])
async def test_a_verdict(path, answer, verdict):
    async with clamd(b"stream: " + answer + b"\0") as (scanner, taken):
        assert await scanner.scan(path) == verdict
    assert taken == [path.read_bytes()]


@pytest.mark.parametrize("answer", [b"", b"stream: OK", b"INSTREAM size limit exceeded. ERROR\0", b"stream: odd\0"])
async def test_anything_else_is_no_verdict(path, answer):
    async with clamd(answer) as (scanner, _):
        with pytest.raises(ScannerUnavailableError):
            await scanner.scan(path)


async def test_a_scanner_that_is_away_is_no_verdict(path):
    async with clamd(b"") as (scanner, _):
        pass
    with pytest.raises(ScannerUnavailableError):
        await scanner.scan(path)
