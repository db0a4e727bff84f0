"""uv, the virtual environment, and every workspace member in it, from one lock file with hashes.

The lock is a plain requirements file: it names packages, versions and hashes, and no index, so that it installs
from whatever index the machine is set to.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bootstrap import progress
from bootstrap.checkout import CACHES, CHECKOUT, DEPLOY, LOCAL, BootstrapError, digest, stamped, stamping

TOOLS = LOCAL / "bootstrap"
UV = TOOLS / "bin" / "uv"
UV_PIN = DEPLOY / "bootstrap" / "uv.txt"
BUILD_REQUIREMENTS = DEPLOY / "bootstrap" / "build.in"
VENV = CHECKOUT / ".venv"
LOCK = CHECKOUT / "requirements.lock"
UV_STAMP = TOOLS / "made-for"
VENV_STAMP = VENV / "made-for"


def sync() -> None:
    """Make `.venv` hold what the lock says, and the members, editable. It never removes a package."""
    _install_uv()
    if not LOCK.exists():
        message = f"{LOCK.name} is missing; `make lock` makes it."
        raise BootstrapError(message)
    wanted = digest([LOCK, *_pyprojects()], str(CHECKOUT), sys.version)
    if stamped(VENV_STAMP, wanted) and _works(VENV / "bin" / "python"):
        return
    with stamping(VENV_STAMP, wanted):
        _fill_venv()


def _fill_venv() -> None:
    if not _works(VENV / "bin" / "python"):
        progress.run(
            "making .venv", [UV, "venv", "--clear", "--python", sys.executable, VENV], env=uv_environment(),
            failed="uv could not make .venv.",
        )  # fmt: skip
    install = [UV, "pip", "install", "--python", VENV / "bin" / "python"]
    progress.run(
        "installing Python packages", [*install, "--require-hashes", "-r", LOCK], env=uv_environment(),
        failed="Python packages could not be installed from the index this machine uses.",
    )  # fmt: skip
    # Relative: a `#` in the checkout's path would begin a comment.
    members = [word for member in _members() for word in ("-e", f"./{member.relative_to(CHECKOUT)}")]
    progress.run(
        "installing the workspace's members", [*install, "--no-deps", "--no-build-isolation", *members],
        env=uv_environment(), failed="a workspace member could not be installed.",
    )  # fmt: skip


def lock(*, upgrade: bool) -> None:
    """Resolve all members' requirements into requirements.lock, for every platform, with hashes."""
    _install_uv()
    names = [f"sampan-{member.name}" for member in _members()]
    with tempfile.TemporaryDirectory(dir=LOCAL) as folder:
        fresh = Path(folder) / LOCK.name
        if LOCK.exists() and not upgrade:
            fresh.write_bytes(LOCK.read_bytes())
        command = [
            UV, "pip", "compile", *_pyprojects(), BUILD_REQUIREMENTS, "--group", f"{CHECKOUT / 'pyproject.toml'}:dev",
            "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
            "--no-emit-index-url", "--no-emit-find-links", "--output-file", fresh,
            *(word for name in names for word in ("--no-emit-package", name)),
        ]  # fmt: skip
        progress.run("resolving requirements.lock", command, env=uv_environment(), failed="no set of versions fits.")
        text = "".join(
            line for line in fresh.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith("#")
        )
    _refuse_hosts(text)
    LOCK.write_text(text, encoding="utf-8")


def _refuse_hosts(text: str) -> None:
    for line in text.splitlines():
        if "://" in line:
            message = f"the lock would name a host, which it must not: {line.strip()}"
            raise BootstrapError(message)


def _install_uv() -> None:
    wanted = digest([UV_PIN], str(CHECKOUT), sys.version)
    if stamped(UV_STAMP, wanted) and UV.exists():
        return
    with stamping(UV_STAMP, wanted):
        progress.run(
            "making a place for tools", [sys.executable, "-m", "venv", "--clear", TOOLS],
            failed="Python's venv does not work; install python3-venv.",
        )  # fmt: skip
        pip = [TOOLS / "bin" / "python", "-m", "pip", "--no-cache-dir", "install", "-q"]
        progress.run(
            "installing uv", [*pip, "--require-hashes", "-r", UV_PIN],
            failed="uv could not be installed from the package index this machine uses.",
        )  # fmt: skip


def _members() -> list[Path]:
    return sorted(
        path.parent for pattern in ("libs", "services") for path in (CHECKOUT / pattern).glob("*/pyproject.toml")
    )


def _pyprojects() -> list[Path]:
    return [CHECKOUT / "pyproject.toml", *(member / "pyproject.toml" for member in _members())]


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", ""], check=False, capture_output=True).returncode == 0


def uv_environment() -> dict[str, str]:
    """The environment for uv: it writes nothing outside the checkout and downloads no Python."""
    kept = {"UV_CACHE_DIR": str(CACHES / "uv"), "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    return {**os.environ, **kept}
