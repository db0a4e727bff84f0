"""The service as it is run: one process with all roles, its events on Kafka, its logs without personal data."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientError
from aiokafka import AIOKafkaConsumer

from auth_testing.service import ENVIRONMENT, PASSWORD, new_email, new_phone
from eventing import KafkaConfig
from sampan.auth.v1.session_pb2 import SessionRevoked
from sampan.auth.v1.user_pb2 import UserRegistered
from sampan.notification.v1.commands_pb2 import SendOtp
from testkit.client import Api, ApiError, Person
from testkit.databases import Databases
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.wait import eventually, least_of_three

pytestmark = pytest.mark.component

COMMITS_AT_START = 1  # the check for signing keys


@dataclass(frozen=True, slots=True)
class Running:
    api: Api
    log: Path
    child: Child
    records: dict[str, list[tuple[str, bytes]]]

    async def record(self, kind: type[Any], key: str) -> Any:
        """The first record of a type with the given key."""
        name = kind.DESCRIPTOR.full_name

        def found() -> bytes | None:
            return next((value for each, value in self.records.get(name, []) if each == key), None)

        return kind.FromString(await eventually(found, timeout_s=60, what=f"{name} of {key}"))


async def collect(consumer: AIOKafkaConsumer, records: dict[str, list[tuple[str, bytes]]]) -> None:
    async for record in consumer:
        kind = dict(record.headers)["ce_type"].decode()
        records.setdefault(kind, []).append((record.key.decode(), record.value))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process of auth runs: its settings and its ports."""

    environment: dict[str, str]
    http_port: int
    ops_port: int
    log: Path


async def place(databases: Databases, redis_url: str, kafka: KafkaConfig, folder: Path) -> Place:
    database = await databases.create("auth", environment=ENVIRONMENT)
    http_port, ops_port = free_ports(2)
    environment = {
        **ENVIRONMENT,
        "AUTH_ENVIRONMENT": "test",
        "AUTH_HTTP_PORT": str(http_port),
        "AUTH_OPS_PORT": str(ops_port),
        "AUTH_DATABASE_DSN": database.dsn,
        "AUTH_REDIS_URL": redis_url,
        "AUTH_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "AUTH_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "AUTH_JWKS_URL": f"http://127.0.0.1:{http_port}/.well-known/jwks.json",
        "AUTH_CURSOR_SECRET": "test-only-cursor-secret-of-32-bytes",
        "AUTH_LOG_LEVEL": "debug",
    }
    if kafka.username:
        environment |= {"AUTH_KAFKA_USERNAME": kafka.username, "AUTH_KAFKA_PASSWORD": kafka.password or ""}
    return Place(environment, http_port, ops_port, folder / "auth.log")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(
    databases: Databases, redis_url: str, kafka: KafkaConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    at = await place(databases, redis_url, kafka, tmp_path_factory.mktemp("auth"))
    names = ("public.auth.user.v1", "private.auth.sessions.v1", "private.notification.commands.v1")
    consumer = kafka_consumer(kafka, *names)
    records: dict[str, list[tuple[str, bytes]]] = {}
    async with (
        Child("auth", "all", environment=at.environment, log=at.log) as child,
        Api(f"http://127.0.0.1:{at.http_port}") as api,
    ):
        await child.ready(at.ops_port, timeout_s=60)
        await consumer.start()
        collecting = asyncio.create_task(collect(consumer, records))
        try:
            yield Running(api, at.log, child, records)
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            await consumer.stop()


def kafka_consumer(kafka: KafkaConfig, *topics: str) -> AIOKafkaConsumer:
    security = (
        {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-256",
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password,
        }
        if kafka.username
        else {}
    )
    return AIOKafkaConsumer(
        *(f"{kafka.topic_prefix}{topic}" for topic in topics),
        bootstrap_servers=kafka.bootstrap,
        group_id=f"{kafka.topic_prefix}watch.{uuid.uuid4().hex[:6]}",
        auto_offset_reset="earliest",
        **security,
    )


async def test_events_and_codes_reach_kafka(running: Running) -> None:
    email = new_email()
    person = await running.api.sign_up(country="VN", locale="vi-VN", name="Mai Linh", email=email, password=PASSWORD)
    registered = await running.record(UserRegistered, person.user_id)
    assert (registered.email, registered.country, registered.locale) == (email, "VN", "vi-VN")
    phone = new_phone()
    asked = await running.api.call("POST", "/v1/otp", {"phone": phone, "purpose": "sign_up", "locale": "th-TH"})
    sent = await running.record(SendOtp, asked["otp_id"])
    assert (sent.channel, sent.destination, sent.purpose, sent.locale) == ("sms", phone, "sign_up", "th-TH")
    signed = await running.api.call(
        "POST",
        "/v1/users",
        {"phone": phone, "otp": {"otp_id": asked["otp_id"], "code": sent.code}, "name": "Somchai", "country": "TH"},
    )
    assert signed["user"]["phone_verified"]


async def refused_after_s(person: Person) -> float:
    """How long it takes until the token is refused for being revoked."""
    begun = time.perf_counter()

    async def refused() -> bool:
        try:
            await person.get("/v1/users/me")
        except ApiError as error:
            return error.code == "auth.token.revoked"
        return False

    await eventually(refused, timeout_s=20)
    return time.perf_counter() - begun


async def test_signing_out_refuses_the_token_and_is_told(running: Running) -> None:
    async def signed_out_after_s() -> float:
        person = await running.api.sign_up(
            country="SG", locale="en-SG", name="Wei Ling", email=new_email(), password=PASSWORD
        )
        await person.delete("/v1/sessions/current")
        after_s = await refused_after_s(person)
        revoked = await running.record(SessionRevoked, person.user_id)
        assert (revoked.session_id, revoked.reason) == (person.session_id, "logout")
        return after_s

    assert await least_of_three(signed_out_after_s) < 2.0


async def test_logs_have_no_personal_data(running: Running) -> None:
    email, phone, name = new_email(), new_phone(), "Nguyễn Thị Xuân-Unmistakable"
    person = await running.api.sign_up(country="VN", locale="vi-VN", name=name, email=email, password=PASSWORD)
    asked = []
    for path, body in (
        ("/v1/otp", {"phone": phone, "purpose": "sign_up"}),
        ("/v1/sessions", {"method": "password", "email": email, "password": "wrong " + PASSWORD}),
        ("/v1/sessions", {"method": "password", "email": email + "\u0000", "password": PASSWORD}),
        ("/v1/users", {"email": email, "password": PASSWORD, "name": name, "country": "VN"}),
        ("/v1/sessions/refresh", {"refresh_token": person.refresh_token}),
        ("/v1/sessions/refresh", {"refresh_token": person.refresh_token[:-3] + "AAA"}),
        ("/v1/password-resets", {"email": email}),
    ):
        with suppress(ApiError):
            asked.append(await running.api.call("POST", path, body))
    await running.record(UserRegistered, person.user_id)
    sent = [await running.record(SendOtp, answer["otp_id"]) for answer in asked if "otp_id" in answer]
    assert {otp.purpose for otp in sent} == {"sign_up", "password_reset"}
    log = running.log.read_text(encoding="utf-8")
    assert "/v1/sessions" in log
    codes = [SendOtp.FromString(value).code for _, value in running.records["sampan.notification.v1.SendOtp"]]
    secrets = [email, email.split("@")[0], phone, phone[1:], name, "Unmistakable", PASSWORD]
    secrets += [person.access_token, person.refresh_token, person.access_token.split(".")[2]]
    for secret in secrets:
        assert secret not in log
    for code in codes:
        assert f'"{code}"' not in log


async def test_it_drains_and_ends_well(running: Running) -> None:
    assert await running.child.stop(timeout_s=30) == 0
    assert "Traceback" not in running.log.read_text(encoding="utf-8")


@pytest.mark.timeout(300)
async def test_killed_between_commit_and_word_the_token_is_refused_after_the_restart(
    databases: Databases, redis_url: str, kafka: KafkaConfig, tmp_path: Path
) -> None:
    at = await place(databases, redis_url, kafka, tmp_path)
    async with Api(f"http://127.0.0.1:{at.http_port}") as api:
        async with Child("auth", "http", environment=at.environment, log=at.log) as child:
            await child.ready(at.ops_port, timeout_s=60)
            email = new_email()
            person = await api.sign_up(country="MY", locale="ms-MY", name="Aina", email=email, password=PASSWORD)
            # The next process dies right after the commit that ends the session, before Redis is told.
            await child.stop(timeout_s=30)
            await child.start(SAMPAN_FAULT=f"outbox.after_commit:{COMMITS_AT_START + 1}:kill")
            await child.ready(at.ops_port, timeout_s=60)
            with pytest.raises(ClientError):
                await person.delete("/v1/sessions/current")
            assert await child.died(timeout_s=60) == -signal.SIGKILL
        async with Child("auth", "all", environment=at.environment, log=at.log) as child:
            await child.ready(at.ops_port, timeout_s=60)
            await refused_after_s(person)
