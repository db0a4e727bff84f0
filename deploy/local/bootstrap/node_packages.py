"""The validators of the API's documents in `.local/documents`: packages for Node, which itself is a Python package.

Their lock file has versions and digests, and names no host, so that it installs from whatever registry is set.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from bootstrap import progress
from bootstrap.checkout import CACHES, DEPLOY, LOCAL, digest, stamped, stamping
from bootstrap.python_packages import VENV

SOURCE = DEPLOY / "documents"
PLACE = LOCAL / "documents"
STAMP = PLACE / "made-for"
LOCK = SOURCE / "package-lock.json"
NPM = VENV / "bin" / "npm"


def sync() -> None:
    wanted = digest(path for path in SOURCE.iterdir() if path.is_file())
    if stamped(STAMP, wanted):
        return
    if PLACE.exists():
        shutil.rmtree(PLACE)
    shutil.copytree(SOURCE, PLACE)
    with stamping(STAMP, wanted):
        progress.run(
            "installing the validators of the API's documents",
            [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", PLACE],
            env=_environment(),
            failed="npm could not install them from the registry this machine uses.",
        )


def lock() -> None:
    """Choose versions for package-lock.json, without addresses of registries or of whoever takes donations."""
    progress.run(
        "resolving package-lock.json",
        [NPM, "install", "--package-lock-only", "--ignore-scripts", "--prefix", SOURCE],
        env=_environment(),
        failed="no set of versions fits.",
    )
    document = json.loads(LOCK.read_text(encoding="utf-8"))
    for package in document["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    LOCK.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(NPM).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "npm_config_cache": str(CACHES / "npm"), "npm_config_update_notifier": "false"}
