"""Swagger UI's files, from the wheel that carries them; its package is located, not imported."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError

PACKAGE: Final = "drf_spectacular_sidecar"
FILES: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE")


class AssetsMissingError(GatewayError):
    """The wheel with the viewer is not installed."""


def copy_viewer(folder: Path) -> None:
    """Put the viewer's files into ``folder``. Raises ``AssetsMissingError``."""
    found = importlib.util.find_spec(PACKAGE)
    roots = list(found.submodule_search_locations or ()) if found else []
    if not roots:
        raise AssetsMissingError("drf-spectacular-sidecar is not installed: it carries the API viewer")
    source = Path(roots[0]) / "static" / PACKAGE / "swagger-ui-dist"
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        target = folder / (name if name != "LICENSE" else "swagger-ui-license.txt")
        if not target.exists() or target.stat().st_size != (source / name).stat().st_size:
            shutil.copyfile(source / name, target)
