"""The stack on an instance of its own: up, up again, kill -9 of each part, kill -9 of supervisor, down."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
INSTANCE = "stacktest"
PARTS = ("postgres", "redis", "kafka")

pytestmark = [pytest.mark.component, pytest.mark.timeout(240)]


class Stack:
    def __init__(self, offset: int) -> None:
        self.home = CHECKOUT / ".local" / INSTANCE
        self._environ = {
            **os.environ,
            "PYTHONPATH": str(CHECKOUT / "deploy" / "local"),
            "SAMPAN_INSTANCE": INSTANCE,
            "SAMPAN_PORT_OFFSET": str(offset),
            "SAMPAN_STACK": "processes",
            # What a person set for servers of their own changes nothing here.
            "PGSSLMODE": "require",
            "PGSERVICE": "no-such-service",
            "PGDATABASE": "elsewhere",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stack", *words]
        return subprocess.run(
            command, env=self._environ, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        # A shell lets what it starts in the background ignore Ctrl-C, and so would what these tests start.
        command = ["env", "--default-signal=INT", sys.executable, "-m", "stack", *words]
        return subprocess.Popen(
            command, env=self._environ, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def pid(self, part: str) -> int | None:
        result = self.run("pid", part)
        return int(result.stdout) if result.returncode == 0 else None

    def processes(self) -> set[int]:
        mark = str(self.home).encode()
        found = set()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                text = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in text:
                found.add(int(path.name))
        return found


def wait_for(condition: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not so in time"
        time.sleep(0.05)


def free_offset() -> int:
    """An offset at which neither Postgres nor Redis nor Kafka nor supervisor finds its port taken.

    Whoever runs these tests in another checkout at the same time begins elsewhere.
    """
    offsets = range(3000, 5500)
    for offset in random.sample(offsets, len(offsets)):
        ports = [port + offset for port in (18432, 18379, 18092, 18093, 18009)]
        sockets = [socket.socket() for _ in ports]
        try:
            for each, port in zip(sockets, ports, strict=True):
                each.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
        return offset
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    made = Stack(free_offset())
    made.run("reset")
    yield made
    made.run("reset")
    assert made.processes() == set()
    assert not made.home.exists()


@pytest.fixture(autouse=True)
def up(stack: Stack) -> None:
    result = stack.run("up", "--only", "infra")
    assert result.returncode == 0, result.stderr


def test_a_second_up_changes_nothing_and_is_quick(stack: Stack) -> None:
    before = {part: stack.pid(part) for part in PARTS}
    took_s = []
    for _ in range(3):  # a busy machine may stall one try
        began = time.monotonic()
        assert "is up already" in stack.run("up", "--only", "infra").stdout
        took_s.append(time.monotonic() - began)
    assert min(took_s) < 2
    assert {part: stack.pid(part) for part in PARTS} == before


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(stack: Stack, part: str) -> None:
    killed = stack.pid(part)
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: stack.pid(part) not in {None, killed}, timeout_s=30)
    result = stack.run("up", "--only", "infra")
    assert result.returncode == 0, result.stderr


def test_services_cannot_enter_each_others_schema(stack: Stack) -> None:
    facts = dict(
        line.split("=", 1) for line in (stack.home / "env" / "payment.env").read_text().splitlines() if "=" in line
    )
    command = ["psql", "-XAt", facts["PAYMENT_DATABASE_DSN"], "-c", "CREATE TABLE auth.intruder (id int)"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "permission denied for schema auth" in result.stderr


def test_after_supervisor_was_killed_down_leaves_nothing(stack: Stack) -> None:
    os.kill(int((stack.home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    result = stack.run("down")
    assert result.returncode == 0, result.stderr
    assert stack.processes() == set()


def test_status_tells_of_what_runs_without_its_supervisor(stack: Stack) -> None:
    os.kill(int((stack.home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    result = stack.run("status")
    assert result.returncode == 3
    assert "runs without its supervisor" in result.stdout
    assert "redis-server" in result.stdout
    stack.run("down")
    assert stack.run("status").stdout.strip() == f"{INSTANCE} is not up"


def test_after_the_instances_folder_was_deleted_down_leaves_nothing(stack: Stack) -> None:
    shutil.rmtree(stack.home)
    assert "runs without its supervisor" in stack.run("status").stdout
    result = stack.run("down")
    assert result.returncode == 0, result.stderr
    assert stack.processes() == set()


def test_an_interrupted_start_says_so_and_ends_at_once(stack: Stack) -> None:
    stack.run("down")
    process = stack.begin("up", "--only", "infra")
    wait_for(lambda: stack.processes() != set(), timeout_s=30)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors.strip() == "stack: interrupted; `make down` stops what runs"


def test_a_part_that_fails_is_named_with_its_log(stack: Stack) -> None:
    stack.run("down")
    manifest = stack.home / "data" / "redis" / "appendonlydir" / "appendonly.aof.manifest"
    kept = manifest.read_text()
    manifest.write_text("garbage\n")
    result = stack.run("up", "--only", "infra")
    manifest.write_text(kept)
    assert result.returncode == 1
    assert "redis failed" in result.stderr
    assert "garbage" in result.stderr
    assert str(stack.home / "logs" / "redis.log") in result.stderr


def test_a_taken_port_is_named_and_nothing_is_started(stack: Stack) -> None:
    port = next(
        int(line.partition("=")[2])
        for line in (stack.home / "ports.env").read_text().splitlines()
        if line.startswith("SAMPAN_PORT_REDIS=")
    )
    stack.run("down")
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        result = stack.run("up", "--only", "infra")
    assert result.returncode == 1
    assert f"port {port} (redis) is in use by" in result.stderr
    assert str(os.getpid()) in result.stderr
    assert stack.processes() == set()
