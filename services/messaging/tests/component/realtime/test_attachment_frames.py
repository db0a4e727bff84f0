"""What sockets hear of files."""

import io

import pytest
from PIL import Image


@pytest.fixture
def png():
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return out.getvalue()


async def test_who_uploads_hears_the_verdict_on_an_open_socket(world, sockets, png):
    nok = await world.person()
    socket = await sockets.of(nok)
    clean = await nok.upload(png)
    told = await socket.until("attachment.changed", attachment_id=clean, timeout_s=20)
    assert (told["status"], told["account_seq"]) == ("clean", 1)
    refused = await nok.upload(b"MZ\x90\x00 program", purpose="file", media_type="application/pdf", name="a.pdf")
    assert (await socket.until("attachment.changed", attachment_id=refused, timeout_s=20))["status"] == "rejected"
