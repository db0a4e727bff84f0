"""A signed-in person who calls a running service."""

from __future__ import annotations

import uuid
from typing import Any

from auth_testing.service import Service
from testkit.serving import Answered


class Person:
    """``signed`` is what signing up answered."""

    def __init__(self, service: Service, signed: dict[str, Any]) -> None:
        self.service, self.signed = service, signed
        self.id, self.token = str(signed["user"]["user_id"]), str(signed["access_token"])

    async def do(self, method: str, path: str, body: Any = None) -> Answered:
        headers = {"Idempotency_Key": str(uuid.uuid4())} if method == "POST" else {}
        return await self.service.call(method, path, body, token=self.token, **headers)

    async def ask(self, other: Person) -> Answered:
        """To be friends."""
        return await self.do("POST", "/v1/friend-requests", {"user_id": other.id})

    async def accept(self, request_id: str) -> Answered:
        return await self.do("POST", f"/v1/friend-requests/{request_id}/accept")

    async def befriend(self, other: Person) -> None:
        answer = await other.accept((await self.ask(other)).body["request_id"])
        if answer.status != 200:
            raise AssertionError(answer.body)

    async def put(self, what: str, other: Person) -> int:
        """``follows`` or ``blocks``."""
        return (await self.do("PUT", f"/v1/users/me/{what}/{other.id}")).status

    async def items(self, path: str) -> list[dict[str, Any]]:
        """The first page of a list."""
        return list((await self.do("GET", path)).body["items"])


async def new_person(service: Service, **fields: Any) -> Person:
    return Person(service, await service.sign_up(**fields))
