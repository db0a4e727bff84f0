"""Where the Postgres, Redis and Kafka of the tests are.

They are the local stack's ``test`` instance (``make up-infra``), or containers where a Docker engine answers.
Either way a test sees the same facts.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Infra:
    """Connection facts of one infrastructure. DSNs carry an administrator's password."""

    postgres_admin_dsn: str
    redis_url: str
    kafka_bootstrap: str
    kafka_username: str | None
    kafka_password: str | None


def repository_root() -> Path:
    """The checkout: the first folder upwards that has the workspace's lock file."""
    for folder in [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]:
        if (folder / "requirements.lock").exists() or (folder / "proto-events").is_dir():
            return folder
    raise RuntimeError("testkit runs inside a checkout: no proto-events folder above the working directory")


def local_infra() -> Infra:
    """The local stack's instance for tests; started when nothing listens there."""
    root = repository_root()
    instance = os.environ.get("SAMPAN_INSTANCE", "test")
    facts_path = root / ".local" / instance / "env" / "infra.env"
    if not facts_path.exists() or not _listens(_read(facts_path)):
        subprocess.run(
            ["make", "--no-print-directory", "up-infra"],
            cwd=root,
            env={**os.environ, "SAMPAN_INSTANCE": instance},
            stdout=sys.stderr,
            check=True,
        )
    facts = _read(facts_path)
    return Infra(
        postgres_admin_dsn=facts["POSTGRES_ADMIN_DSN"],
        redis_url=facts["REDIS_URL"],
        kafka_bootstrap=facts["KAFKA_BOOTSTRAP"],
        kafka_username=facts.get("KAFKA_ADMIN_USERNAME"),
        kafka_password=facts.get("KAFKA_ADMIN_PASSWORD"),
    )


def _read(path: Path) -> dict[str, str]:
    pairs = (line.split("=", maxsplit=1) for line in path.read_text().splitlines() if "=" in line)
    return {key.removeprefix("export ").strip(): value.strip().strip("'\"") for key, value in pairs}


def _listens(facts: dict[str, str]) -> bool:
    host, port = facts["KAFKA_BOOTSTRAP"].split(",")[0].rsplit(":", maxsplit=1)
    addresses = [(host, int(port))]
    for url in (facts["POSTGRES_ADMIN_DSN"], facts["REDIS_URL"]):
        parts = urlsplit(url)
        addresses.append((parts.hostname or "127.0.0.1", parts.port or 0))
    return all(_answers(address) for address in addresses)


def _answers(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
