"""Debian packages that are missing, installed without starting or enabling any service of theirs.

Only what is absent is asked for, so that nothing already installed is upgraded or restarted.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap import progress
from bootstrap.checkout import DEPLOY, LOCAL, BootstrapError
from stack.java import find_java

OLDEST_POSTGRES = 15
REDIS_NAME = LOCAL / "bin" / "redis-server"


def install_missing(*, with_servers: bool, with_maven: bool) -> None:
    """Have Python's venv, and when asked Postgres with PostGIS, Redis, Java and Maven."""
    wanted: list[str] = []
    if importlib.util.find_spec("ensurepip") is None:
        wanted.append("python3-venv")
    if with_servers and not _has_postgres():
        wanted.append("postgres")
    if with_servers and not _has_redis():
        wanted.append("redis-tools")
    if with_servers and find_java() is None:
        wanted.append("java")
    if with_maven and shutil.which("mvn") is None:
        wanted.append("maven")
    if wanted:
        _install(wanted)
    if with_servers:
        _name_redis()


def install_browser() -> None:
    """Have Chromium and letters for the languages people write in: for tests only."""
    if shutil.which("chromium") is None:
        _install(["chromium", "fonts-noto-core", "fonts-noto-color-emoji"])


def _install(wanted: list[str]) -> None:
    if shutil.which("apt-get") is None:
        message = (
            f"missing: {', '.join(wanted)}; this is no Debian or Ubuntu, so install PostgreSQL {OLDEST_POSTGRES}+ with"
            " PostGIS, Redis, Java 17+, Maven and Python's venv by hand, or start a Docker engine."
        )
        raise BootstrapError(message)
    root = _as_root(wanted)
    progress.run(
        "reading Debian's package lists",
        [*root, "apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=120"],
        failed="`apt-get update` failed, so missing packages cannot be installed.",
    )
    packages = [package for word in wanted for package in _packages(word)]
    progress.run(
        f"installing {', '.join(packages)}",
        [*root, "sh", DEPLOY / "bootstrap" / "apt-install.sh", *packages],
        failed=f"apt-get could not install {', '.join(packages)}.",
    )


def _as_root(wanted: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        message = f"missing: {', '.join(wanted)}; installing needs root, and there is no sudo."
        raise BootstrapError(message)
    silent = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    if silent:
        return ["sudo", "-n"]
    if not sys.stdin.isatty():
        message = (
            f"missing: {', '.join(wanted)}; installing needs root, and sudo wants a password but there is no terminal."
        )
        raise BootstrapError(message)
    if subprocess.run(["sudo", "-v"], check=False).returncode != 0:
        message = f"missing: {', '.join(wanted)}; installing needs root, and sudo refused."
        raise BootstrapError(message)
    return ["sudo", "-n"]


def _packages(word: str) -> list[str]:
    """The packages of this release that bring what is wanted."""
    if word == "postgres":
        found = subprocess.run(
            ["apt-cache", "search", "--names-only", r"^postgresql-[0-9]+-postgis-3$"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        versions = [int(number) for number in re.findall(r"^postgresql-(\d+)-postgis-3\b", found.stdout, re.MULTILINE)]
        usable = [version for version in versions if version >= OLDEST_POSTGRES]
        if not usable:
            message = f"this release has no PostgreSQL {OLDEST_POSTGRES} or newer with PostGIS in its packages."
            raise BootstrapError(message)
        return [f"postgresql-{min(usable)}-postgis-3"]
    if word == "java":
        for package in ("openjdk-17-jre-headless", "openjdk-21-jre-headless", "default-jre-headless"):
            if _has_candidate(package):
                return [package]
    return [word]


def _has_candidate(package: str) -> bool:
    shown = subprocess.run(["apt-cache", "policy", package], check=False, capture_output=True, text=True).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _has_postgres() -> bool:
    return any(
        int(path.parents[1].name) >= OLDEST_POSTGRES
        and Path(f"/usr/share/postgresql/{path.parents[1].name}/extension/postgis.control").exists()
        for path in Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    )


def _has_redis() -> bool:
    return shutil.which("redis-server") is not None or shutil.which("redis-check-rdb") is not None


def _name_redis() -> None:
    """Debian's package redis-tools holds the server's binary under its checking tool's name.

    It looks at the name it is called by. So the server needs no package that would run it as a service at boot.
    """
    if shutil.which("redis-server") is None and not REDIS_NAME.exists():
        REDIS_NAME.parent.mkdir(parents=True, exist_ok=True)
        REDIS_NAME.unlink(missing_ok=True)
        REDIS_NAME.symlink_to(shutil.which("redis-check-rdb") or "redis-check-rdb")
    server = shutil.which("redis-server") or str(REDIS_NAME)
    shown = subprocess.run([server, "--version"], check=False, capture_output=True, text=True)
    if "Redis server" not in shown.stdout:
        message = f"{server} is no Redis server; install the package redis-server."
        raise BootstrapError(message)
