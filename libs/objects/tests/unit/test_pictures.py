"""Pictures are read in a process of their own, which refuses what is none."""

import io

import pytest
from PIL import Image

from objects.pictures import PictureRefusedError, picture


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
async def test_a_picture_has_its_type_its_size_and_thumbnails_without_metadata(tmp_path, kind, media_type):
    path = tmp_path / "picture"
    exif = Image.Exif()
    exif[0x010F] = "maker"
    Image.new("RGB", (400, 200), "green").save(path, kind, **({"exif": exif} if kind == "JPEG" else {}))
    made = await picture(path, (100, 300))
    assert (made.media_type, made.width, made.height, set(made.thumbnails)) == (media_type, 400, 200, {100, 300})
    for width, content in made.thumbnails.items():
        with Image.open(io.BytesIO(content)) as small:
            assert (small.format, small.width, small.height) == ("WEBP", width, width // 2)
            assert not small.getexif()


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut short"])
async def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "picture"
    path.write_bytes(content)
    with pytest.raises(PictureRefusedError):
        await picture(path, (100,))
