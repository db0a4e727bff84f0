"""``python -m objects.picture_process FILE WIDTH …``: a picture read within limits, thumbnails out."""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Final

from PIL import Image, ImageOps

MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 15
PIXELS_MAX: Final = 50_000_000
MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def main(path: str, widths: list[int]) -> None:
    """Exits with an error for what is no picture we take."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    with Image.open(path, formats=list(MEDIA_TYPES)) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise SystemExit("too many pixels")
        media_type = MEDIA_TYPES[opened.format or ""]
        upright = ImageOps.exif_transpose(opened)
        whole = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
    made = []
    for width in widths:
        small = whole.copy()
        small.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        small.save(out, "WEBP", quality=80)
        made.append((width, out.getvalue()))
    facts = {
        "media_type": media_type,
        "width": whole.width,
        "height": whole.height,
        "thumbnails": [(width, len(content)) for width, content in made],
    }
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + b"".join(content for _, content in made))


if __name__ == "__main__":
    main(sys.argv[1], [int(each) for each in sys.argv[2:]])
