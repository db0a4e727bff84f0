"""The service wired to real Postgres, Redis and Kafka, with the sandbox provider as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from chassis.postgres import Connection
from eventing import KafkaConfig
from kernel.clock import FixedClock
from kernel.country import Country
from operations.invariants import broken, check_invariants, report
from payment.adapters.invariants import CHECKS
from payment.domain.ids import UserId
from payment.domain.top_up import Booked, Charge, Verdict
from payment.settings import PaymentSettings
from payment.usecases.record_charge import record_charge
from payment.wiring import App
from payment_testing.people import add_person, balance, give
from sandbox.webhooks import SIGNATURE_HEADER, sign
from testkit.databases import ServiceDatabase
from testkit.issuer import TokenIssuer
from testkit.ports import free_port
from testkit.processes import Child
from testkit.serving import Answered, Client
from testkit.wait import eventually

SECRET, API_KEY = "test-webhook-secret", "test-api-key"


@dataclass
class World:
    """One service with its data."""

    app: App
    call: Client
    issuer: TokenIssuer
    database: ServiceDatabase
    sandbox_url: str

    async def person(self, *, country: str = "TH", tier: int = 3, currency: str = "THB") -> UserId:
        async with self.app.database.begin() as conn:
            return await add_person(conn, country=country, tier=tier, currency=currency)

    def token(self, user_id: UserId, **claims: Any) -> str:
        return self.issuer.token_for(user_id, country=Country.TH, **claims)

    async def behave(self, **behaviour: Any) -> None:
        url = f"{self.sandbox_url}/payments/behaviour"
        async with aiohttp.ClientSession() as session, session.put(url, json=behaviour) as answer:
            assert answer.status == 200, await answer.text()

    async def provider_says(
        self,
        reference: object,
        *,
        secret: str = SECRET,
        at: int | None = None,
        provider: str = "sandbox",
        event_id: str | None = None,
        **data: Any,
    ) -> Answered:
        """The answer to a webhook of the provider; ``data`` of its charge."""
        charge = {
            "charge_id": f"ch_{uuid.uuid4().hex}",
            "reference": str(reference),
            "amount_minor": 5_000,
            "currency": "THB",
            "status": "succeeded",
            "failure_code": "",
            **data,
        }
        body = json.dumps({"id": event_id or f"evt_{uuid.uuid4().hex}", "type": "charge", "data": charge}).encode()
        return await self.deliver(body, secret=secret, at=at, provider=provider)

    async def deliver(
        self, body: bytes, *, secret: str = SECRET, at: int | None = None, provider: str = "sandbox"
    ) -> Answered:
        """The answer to a webhook of this body, signed."""
        header = sign(secret, body, at_unix_s=at if at is not None else int(time.time()))
        path = f"/v1/provider-webhooks/{provider}"
        return await self.call("POST", path, raw=body, headers={SIGNATURE_HEADER: header}, key="")

    async def provider(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(self.sandbox_url + path) as answer:
            return await answer.json()


async def assert_audit_holds(conn: Connection) -> None:
    findings = await check_invariants(conn, CHECKS)
    assert not broken(findings), report(findings)


@dataclass
class Place:
    """A service with a database and a clock of its own, and a superuser who can poison a row."""

    app: App
    clock: FixedClock
    admin: asyncpg.Connection

    async def poison(self, table: str, condition: str) -> None:
        """Whoever changes such a row of the table fails."""
        await self.admin.execute(
            "CREATE OR REPLACE FUNCTION payment.poisoned() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$"
        )
        await self.admin.execute(
            f"CREATE TRIGGER poisoned BEFORE UPDATE ON payment.{table} FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION payment.poisoned()"
        )

    async def heal(self, table: str) -> None:
        await self.admin.execute(f"DROP TRIGGER poisoned ON payment.{table}")

    async def failures(self) -> list[tuple[str, str, int]]:
        """(job, item, attempts) of what is written down for operators."""
        async with self.app.database.read() as conn:
            rows = await conn.fetch("SELECT job, item_id, attempts, error FROM job_failure ORDER BY item_id")
        return [(row["job"], row["item_id"], row["attempts"]) for row in rows]

    async def person(self, amount_minor: int = 0) -> UserId:
        async with self.app.database.begin() as conn:
            made = await add_person(conn)
            if amount_minor:
                await give(conn, made, amount_minor)
        return made

    async def told_at_once(self, *charges: Charge) -> list[Verdict]:
        """Verdicts on words of which each was read before any was booked; the first is booked first."""
        all_read, first_booked = asyncio.Barrier(len(charges)), asyncio.Event()

        async def tell(charge: Charge) -> Verdict:
            async with self.app.begin() as tx:
                booked, first_look = tx.top_ups.booked, True

                async def read_then_wait(charge: Charge) -> Booked | None:
                    nonlocal first_look
                    found = await booked(charge)
                    if first_look:
                        first_look = False
                        await all_read.wait()
                        if charge is not charges[0]:
                            await first_booked.wait()
                    return found

                tx.top_ups.booked = read_then_wait  # type: ignore[method-assign]
                verdict = await record_charge(charge, tx)
                if charge is charges[0]:
                    first_booked.set()
                return verdict

        return await asyncio.gather(*map(tell, charges))

    async def money(self, person: UserId) -> tuple[int, int]:
        """(balance, frozen) of the person's wallet."""
        async with self.app.database.read() as conn:
            return await balance(conn, person)


def environment_of(
    database: ServiceDatabase, redis_url: str, kafka: KafkaConfig, jwks_url: str, **more: str
) -> dict[str, str]:
    values = {
        "ENVIRONMENT": "test",
        "HTTP_PORT": "0",
        "OPS_PORT": "0",
        "DATABASE_DSN": database.dsn,
        "REDIS_URL": redis_url,
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "KAFKA_USERNAME": kafka.username or "",
        "KAFKA_PASSWORD": kafka.password or "",
        "KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "JWKS_URL": jwks_url,
        "CURSOR_SECRET": "test-only-cursor-secret-of-32-bytes",
        "SANDBOX_API_KEY": API_KEY,
        "SANDBOX_WEBHOOK_SECRET": SECRET,
        "PROVIDER_TIMEOUT_S": "1",
        **more,
    }
    return {f"PAYMENT_{key}": value for key, value in values.items()}


def settings_of(environment: dict[str, str]) -> PaymentSettings:
    before = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    try:
        return PaymentSettings()  # type: ignore[call-arg]  # the environment has what it needs
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key)
            else:
                os.environ[key] = value


@asynccontextmanager
async def sandbox_process(port: int, webhook_url: str, log: Path) -> AsyncIterator[str]:
    url = f"http://127.0.0.1:{port}"
    environment = {
        "SANDBOX_HTTP_PORT": str(port),
        "SANDBOX_SMTP_PORT": str(free_port()),
        "SANDBOX_SCANNER_PORT": str(free_port()),
        "SANDBOX_WEBHOOK_URL": webhook_url,
        "SANDBOX_WEBHOOK_SECRET": SECRET,
        "SANDBOX_API_KEY": API_KEY,
    }
    async with Child("sandbox", environment=environment, log=log):
        async with aiohttp.ClientSession() as session:

            async def healthy() -> bool:
                async with session.get(f"{url}/healthz") as answer:
                    return answer.status == 200

            await eventually(healthy, timeout_s=60, what=f"sandbox, see {log}")
        yield url
