"""Each service's Redis user can do what the service does, and nothing to anybody else's keys and channels.

A server of its own is started with the script and the file that the containers use.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from stack.context import find_services, make_context
from stack.layout import Layout
from stack.parts.redis import render_users, server
from stack.ports import wanted_ports
from stack.probe import wait_until
from testkit.ports import free_port

pytestmark = pytest.mark.component

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES = tuple(service.name for service in find_services(CHECKOUT))
USERS = ("admin", "probe", *SERVICES)
Client = Callable[[str], "Redis[Any]"]


@contextmanager
def serving(folder: Path) -> Iterator[Client]:
    port = free_port()
    environment = {
        **os.environ,
        "REDIS_SERVER": server(CHECKOUT),
        "REDIS_USERS": " ".join(f"{name}=secret-of-{name}" for name in USERS),
        "REDIS_USERS_FILE": str(folder / "users.acl"),
        "REDIS_USERS_TEMPLATE": str(CHECKOUT / "deploy" / "redis" / "users.acl"),
    }
    script = CHECKOUT / "deploy" / "compose" / "redis-start.sh"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["/bin/sh", str(script), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)],
            env=environment,
            stdout=log,
            stderr=log,
        )
    made: list[Redis[Any]] = []

    def connect(user: str) -> Redis[Any]:
        made.append(Redis(port=port, username=user, password=f"secret-of-{user}"))
        return made[-1]

    def answers() -> bool:
        try:
            return bool(connect("probe").ping())
        except RedisError:
            return False

    try:
        assert wait_until(answers, 30, alive=lambda: None), (folder / "log").read_text()
        yield connect
    finally:
        for each in made:
            each.close()
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("redis")) as connect:
        yield connect


def test_what_a_script_wrote_survives_a_kill(tmp_path: Path) -> None:
    """A script's writes stand in the append-only file as a transaction, which is read with the default user's rights."""
    with serving(tmp_path) as connect:
        both = connect("payment").register_script(
            "redis.call('INCRBY', KEYS[1], 7); return redis.call('INCRBY', KEYS[1] .. ':2', 9)"
        )
        assert both(keys=["payment:limits:x"]) == 9
        both(keys=["payment:limits:x"])
    with serving(tmp_path) as connect:
        assert [connect("payment").get(f"payment:limits:x{more}") for more in ("", ":2")] == [b"14", b"18"]


def test_nobody_comes_in_without_a_name(client: Client) -> None:
    port = client("probe").connection_pool.connection_kwargs["port"]
    with Redis(port=port) as nobody, pytest.raises(RedisError, match="uthenticated"):
        nobody.get("auth:x")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_what_it_does(client: Client, service: str) -> None:
    mine = client(service)
    limit = mine.register_script("redis.call('INCRBY', KEYS[1], 1); return redis.call('PEXPIRE', KEYS[1], 1000)")
    assert limit(keys=[f"{service}:limits:{{someone}}"]) == 1
    with mine.pubsub() as channel:
        channel.subscribe(f"{service}:hints:x", "auth:revoked")
        heard = [channel.get_message(timeout=2) for _ in range(2)]
        assert [each and each["type"] for each in heard] == ["subscribe", "subscribe"]
        assert mine.publish(f"{service}:hints:x", b"") == 1
    assert mine.zrangebyscore("auth:revoked_sessions", 0, "+inf") == []


FORBIDDEN = (
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "maxmemory", "1"),
    ("ACL", "LIST"),
    ("ACL", "WHOAMI"),
    ("SCRIPT", "FLUSH"),
    ("FUNCTION", "LIST"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("INFO",),
    ("MONITOR",),
    ("SHUTDOWN", "NOSAVE"),
    ("SAVE",),
    ("REPLICAOF", "NO", "ONE"),
    ("MIGRATE", "127.0.0.1", "1", "auth:x", "0", "1"),
    ("PSUBSCRIBE", "*"),
    ("PUBSUB", "CHANNELS"),
    ("SWAPDB", "0", "1"),
    ("SELECT", "1"),
)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("words", FORBIDDEN, ids=" ".join)
def test_no_service_does_what_no_service_needs(client: Client, service: str, words: tuple[str, ...]) -> None:
    with pytest.raises(NoPermissionError):
        client(service).execute_command(*words)


@pytest.mark.parametrize(("intruder", "victim"), list(itertools.permutations(SERVICES, 2)))
def test_no_service_reaches_anothers_keys_and_channels(client: Client, intruder: str, victim: str) -> None:
    key, mine = f"{victim}:limits:{{someone}}:1", client(intruder)
    for words in (
        ("GET", key),
        ("INCRBY", key, "1"),
        ("SET", key, "1"),
        ("SET", f"{victim}:ticket:x", "1"),
        ("ZADD", f"{victim}:presence:x", "1", "x"),
        ("DEL", key),
        ("PUBLISH", f"{victim}:hints:x", "1"),
        ("SUBSCRIBE", f"{victim}:hints:x"),
        ("SUBSCRIBE", f"{victim}:dialog:x"),
        ("COPY", key, f"{intruder}:x"),
        ("RENAME", f"{intruder}:x", key),
    ):
        with pytest.raises(NoPermissionError):
            mine.execute_command(*words)
    with pytest.raises(ResponseError, match="can't access at least one of the keys"):
        mine.register_script("return redis.call('GET', ARGV[1])")(keys=[f"{intruder}:x"], args=[key])


@pytest.mark.parametrize("service", [each for each in SERVICES if each != "auth"])
def test_only_auth_says_who_is_signed_out(client: Client, service: str) -> None:
    mine = client(service)
    for words in (
        ("ZADD", "auth:revoked_sessions", "1", "x"),
        ("ZREM", "auth:revoked_sessions", "x"),
        ("DEL", "auth:revoked_sessions"),
        ("PUBLISH", "auth:revoked", "x 1"),
        ("SUBSCRIBE", "auth:other"),
        ("ZRANGEBYSCORE", "auth:other", "0", "1"),
        ("GET", "auth:revoked_sessions"),
    ):
        with pytest.raises(NoPermissionError):
            mine.execute_command(*words)
    told = client("auth")
    told.zadd("auth:revoked_sessions", {"x": 1})
    told.publish("auth:revoked", "x 1")
    assert mine.zrangebyscore("auth:revoked_sessions", 0, 2) == [b"x"]
    told.zremrangebyscore("auth:revoked_sessions", "-inf", "+inf")


def test_the_probe_only_asks_whether_anybody_is_there(client: Client) -> None:
    assert client("probe").ping()
    for words in (("GET", "auth:x"), ("PUBLISH", "auth:revoked", "x"), ("INFO",)):
        with pytest.raises(NoPermissionError):
            client("probe").execute_command(*words)


def test_the_local_stack_leaves_no_password_open(tmp_path: Path) -> None:
    layout = Layout(checkout=tmp_path, instance="demo")
    layout.make_directories()
    ports = wanted_ports(Layout(checkout=CHECKOUT, instance="demo"), {})
    made = make_context(Layout(checkout=CHECKOUT, instance="demo"), ports)
    context = type(made)(
        layout=made.layout, ports=ports, passwords=make_context(layout, ports).passwords, services=made.services
    )
    text = render_users(context)
    assert "@admin@" not in text
    assert not [line for line in text.splitlines() if "#" not in line and not line.startswith("user default off ")]
    assert context.passwords["redis-payment"] not in text
