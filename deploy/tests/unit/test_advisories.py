"""What is locked is read from the files as they are, and compared with what is known about it."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from checks.advisories import LIST, Locked, affects, faults, locked, stale
from checks.catalogue import all_checks

CHECKOUT = Path(__file__).resolve().parents[3]
KNOWN: dict[str, Any] = tomllib.loads(LIST.read_text(encoding="utf-8"))


def test_every_lock_is_read() -> None:
    found = locked(CHECKOUT)
    assert {(each.kind, each.name) for each in found} >= {
        ("package", "aiohttp"),
        ("jar", "lz4-java"),
        ("jar", "kafka_2.13"),
        ("jar", "zstd-jni"),
        ("image", "redis"),
        ("image", "kafka"),
        ("image", "python"),
    }
    jars = (CHECKOUT / "deploy/local/kafka/jars.sha256").read_text().splitlines()
    assert len([each for each in found if each.kind == "jar"]) == len(jars)


def test_it_is_one_of_the_checks() -> None:
    assert "advisories" in {check.name for check in all_checks()}


def test_nothing_locked_is_affected() -> None:
    assert list(faults(locked(CHECKOUT), KNOWN)) == []


def test_each_advisory_is_about_something_locked_and_has_what_a_reader_needs() -> None:
    names = {(each.kind, each.name) for each in locked(CHECKOUT)}
    for advisory in KNOWN["advisory"]:
        assert (advisory["kind"], advisory["name"]) in names, advisory["id"]
        assert advisory["source"].startswith("https://")
        assert all(SpecifierSet(each) for each in advisory["affected"])


@pytest.mark.parametrize(
    "was",
    [
        Locked("jar", "lz4-java", "1.8.0", "jars.sha256"),
        Locked("jar", "commons-beanutils", "1.9.4", "jars.sha256"),
        Locked("jar", "kafka-clients", "4.1.1", "jars.sha256"),
        Locked("image", "redis", "7.0.15", "docker-compose.yml"),
        Locked("package", "jinja2", "3.1.5", "requirements.lock"),
    ],
)
def test_what_was_affected_is_found_and_named(was: Locked) -> None:
    said = list(faults([was], KNOWN))
    assert said
    assert all(sentence.startswith(f"{was.file}: {was.name} {was.version} is affected by ") for sentence in said)


def test_a_version_with_a_build_number_is_compared() -> None:
    assert affects({"affected": ["<1.5.7"]}, "1.5.6-10")
    assert not affects({"affected": ["<1.5.6"]}, "1.5.6-10")


def test_an_old_list_is_said() -> None:
    known = {"looked_on": date(2026, 1, 1), "look_again_after_days": 92}
    assert stale(known, date(2026, 4, 3)) is None
    assert "93 days ago" in (stale(known, date(2026, 4, 4)) or "")
