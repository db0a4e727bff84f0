"""Who takes part: people signed up through the gateway, and the groups they are in."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import people
from faults import patiently

from testkit.client import Api, ApiError, Person
from testkit.wait import eventually

_RENEW_AFTER_S = 600.0
_AT_ONCE = asyncio.Semaphore(4)  # hashing a password keeps a processor busy


@dataclass(slots=True)
class Member:
    """Somebody with a token that is always good for some minutes more."""

    person: Person
    since: float = field(default_factory=time.monotonic)

    async def token(self) -> str:
        if time.monotonic() - self.since > _RENEW_AFTER_S:
            async with _AT_ONCE:
                self.person = await patiently(self._sign_in)
            self.since = time.monotonic()
        return self.person.access_token

    async def _sign_in(self) -> Person:
        return await self.person.api.sign_in(email=self.person.email, password=people.PASSWORD)


@dataclass(frozen=True, slots=True)
class Group:
    """``readers`` are in several groups."""

    dialog_id: str
    writers: list[Member]
    readers: list[Member]


async def gather_crowd(api: Api, *, groups: int, writers: int, readers: int, readers_each: int) -> list[Group]:
    """``writers`` spread evenly over ``groups``; each group is read by ``readers_each`` of the ``readers``."""
    everybody = await asyncio.gather(*(_member(api, f"Chat{number}") for number in range(writers + readers)))
    writing, reading = everybody[:writers], everybody[writers:]
    made = []
    for number in range(groups):
        own = writing[number::groups]
        watched_by = [reading[(number + turn * (groups // readers_each)) % readers] for turn in range(readers_each)]
        made.append(_open(own, watched_by))
    return await asyncio.gather(*made)


async def _member(api: Api, name: str) -> Member:
    async with _AT_ONCE:
        return Member(await people.person(api, name))


async def _open(writers: list[Member], readers: list[Member]) -> Group:
    first, *others = [each.person for each in (*writers, *readers)]
    body = {"kind": "group", "title": "Faults", "user_ids": [each.user_id for each in others]}

    async def opened() -> Any:
        """Not before messaging has heard of everybody."""
        try:
            return await first.post("/v1/dialogs", body)
        except ApiError as refused:
            if refused.status >= 500 or refused.code == "messaging.dialog.people_unknown":
                return None
            raise

    dialog = await eventually(opened, timeout_s=60, every_s=0.2, what="a group of everybody")
    return Group(dialog["dialog_id"], writers, readers)
