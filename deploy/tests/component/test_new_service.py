"""`make service` in a copy of the tree: what it makes passes `make check` and its own tests, and stands everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import asyncpg
import pytest

from new_service.taken import SQL_WORDS
from testkit.infra import Infra

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "reviews"
# What a first command fetches; here it is at hand. Links, not copies: nothing writes into it.
FETCHED = ("cache", "kafka", "documents")
CACHE_OF_TYPES = ".mypy_cache"  # by content: what is as it was is not looked at again
INFRA = """\
POSTGRES_ADMIN_DSN='{0.postgres_admin_dsn}'
REDIS_URL='{0.redis_url}'
KAFKA_BOOTSTRAP='{0.kafka_bootstrap}'
KAFKA_ADMIN_USERNAME='{0.kafka_username}'
KAFKA_ADMIN_PASSWORD='{0.kafka_password}'
"""


@pytest.fixture
def copy(tmp_path: Path, infra: Infra) -> Path:
    """The tree as it is now, beside this one, which finds the infrastructure of these tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (CHECKOUT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, tmp_path / name)
    for folder in FETCHED:
        if (CHECKOUT / ".local" / folder).exists():
            shutil.copytree(CHECKOUT / ".local" / folder, tmp_path / ".local" / folder, copy_function=os.link)
    if (CHECKOUT / CACHE_OF_TYPES).exists():
        shutil.copytree(CHECKOUT / CACHE_OF_TYPES, tmp_path / CACHE_OF_TYPES)
    env = tmp_path / ".local" / "test" / "env"
    env.mkdir(parents=True)
    (env / "infra.env").write_text(INFRA.format(infra))
    return tmp_path


def run(copy: Path, *command: str) -> str:
    ours = {"PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    result = subprocess.run(
        command,
        cwd=copy,
        env=environment | {"SAMPAN_INSTANCE": "test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.mark.timeout(600)
def test_a_new_service_is_whole(copy: Path) -> None:
    said = run(copy, "make", "service", f"NAME={NAME}")
    assert f"services/{NAME} listens on" in said
    run(copy, "make", "check")
    tests = run(copy, ".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"services/{NAME}")
    assert " passed" in tests
    assert "skipped" not in tests
    for path in ("docker-compose.yml", "deploy/helm/sampan/values.yaml", "services/gateway/openapi.json"):
        assert NAME in (copy / path).read_text(), path


async def test_words_of_sql_are_those_of_postgres(infra: Infra) -> None:
    conn = await asyncpg.connect(infra.postgres_admin_dsn)
    words = await conn.fetch("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T') AND word ~ '^[a-z]+$'")
    await conn.close()
    assert {row["word"] for row in words} <= SQL_WORDS


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Reviews", "only lower-case letters"),
        ("payment", "a service is called so"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, why: str) -> None:
    result = subprocess.run(
        [".venv/bin/python", "-m", "new_service", name],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": "deploy/local"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, why in result.stderr) == (2, True), result.stderr
    assert not (CHECKOUT / "services" / name / "README.md").exists() or name == "payment"
