"""A running service as its tests see it: its API, its topics, its providers, and the people it knows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp

from kernel.ids import uuid7
from notification.wiring import App
from sampan.auth.v1.user_pb2 import UserRegistered
from testkit.issuer import TokenIssuer
from testkit.serving import Client
from testkit.wait import eventually


@dataclass
class Sandbox:
    """The provider process, and what it got."""

    url: str
    smtp_port: int
    session: aiohttp.ClientSession

    async def mails(self, to: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/mail/messages", params={"to": to}) as answer:
            items: list[dict[str, Any]] = (await answer.json())["items"]
            return items

    async def messages(self, to: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.url}/sms/messages", params={"to": to}) as answer:
            items: list[dict[str, Any]] = (await answer.json())["items"]
            return items

    async def behave(self, part: str, **behaviour: Any) -> None:
        async with self.session.put(f"{self.url}/{part}/behaviour", json=behaviour) as answer:
            assert answer.status == 200


@dataclass
class World:
    """One service with its data; its roles run as tasks."""

    app: App
    call: Client
    issuer: TokenIssuer
    sandbox: Sandbox

    async def publish(self, *records: Any, key: str | None = None, version: int | None = None) -> UUID:
        """Put records on Kafka the way their owner would: through an outbox and its relay. Returns the last id."""
        event_id = uuid7()
        async with self.app.begin() as tx:
            for record in records:
                event_id = uuid7()
                tx.outbox.add(record, key=key, event_id=event_id, aggregate_version=version)
        return event_id

    async def person(self, *, locale: str = "th-TH", name: str = "Nok") -> tuple[UUID, str]:
        """A person auth has told about. Returns their id and e-mail address."""
        user_id = uuid.uuid4()
        email = f"{user_id.hex}@example.com"
        phone = "+668" + str(user_id.int)[:8]
        await self.publish(
            UserRegistered(
                user_id=str(user_id), country="TH", locale=locale, display_name=name, email=email, phone_e164=phone
            ),
            version=1,
        )
        await self.notifications_of(user_id, "welcome")
        return user_id, email

    async def get(self, user_id: UUID, path: str) -> Any:
        answer = await self.call("GET", path, token=self.issuer.token_for(user_id))
        assert answer.status == 200, answer.content
        return answer.json

    async def notifications_of(self, user_id: UUID, notification_type: str) -> list[dict[str, Any]]:
        """Those of a type, once there is one."""

        async def look() -> list[dict[str, Any]]:
            items = (await self.get(user_id, "/v1/notifications"))["items"]
            return [each for each in items if each["type"] == notification_type]

        found: list[dict[str, Any]] = await eventually(look, timeout_s=40, what=f"{notification_type} of {user_id}")
        return found

    async def handled(self, event_id: UUID) -> None:
        """Wait until a record was handled, whatever became of it."""

        async def look() -> bool:
            async with self.app.database.read() as conn:
                return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM inbox WHERE event_id = $1)", event_id))

        await eventually(look, timeout_s=20, what=f"{event_id} handled")

    async def idle(self) -> None:
        """Wait until no provider will be asked: what it is told to do next is for the next message of anyone.

        What waits for a person nobody has told of is tried for some forty minutes, and asks no provider meanwhile.
        """

        async def look() -> bool:
            async with self.app.database.read() as conn:
                return not await conn.fetchval(
                    """
                    SELECT EXISTS (SELECT FROM delivery LEFT JOIN recipient USING (user_id)
                                   WHERE status = 'pending' AND (user_id IS NULL OR recipient.user_id IS NOT NULL))
                    """
                )

        await eventually(look, timeout_s=30, what="all deliveries ended")
