"""A service made of fakes, and what it has done so far. A transaction that fails leaves everything as it was."""

from __future__ import annotations

import copy
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any
from uuid import uuid4

from auth.domain.contact import Contact
from auth.domain.ids import OtpId, SessionId, UserId
from auth.domain.otp import LIFETIME, Channel, Otp, OtpGuess, OtpPurpose
from auth.domain.security_log import SecurityEvent
from auth.domain.settings import first_settings
from auth.domain.user import User
from auth.usecases.ports import Tools
from auth_testing.fakes import (
    FakeAttempts,
    FakeChains,
    FakeHasher,
    FakeIssuer,
    FakeSecrets,
    FakeSendLimits,
    FakeTx,
    OtpRow,
    Rows,
)
from kernel.clock import FixedClock
from kernel.country import Country


class World:
    """Each of ``interruptions`` is called before the next transaction, as another one would be."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.clock = FixedClock()
        self.chains = FakeChains()
        self.attempts = FakeAttempts(self.clock)
        self.send_limits = FakeSendLimits()
        self.interruptions: list[Callable[[], object]] = []
        self.tools = Tools(
            begin=self.begin,
            clock=self.clock,
            hasher=FakeHasher(),
            issuer=FakeIssuer(),
            secrets=FakeSecrets(),
            common_passwords={"password1"},
            attempts=self.attempts,
            send_limits=self.send_limits,
            chains=self.chains,
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[FakeTx]:
        if self.interruptions:
            self.interruptions.pop(0)()
        before = copy.deepcopy(self.rows)
        try:
            yield FakeTx(self.rows, self.clock.now())
        except BaseException:
            self._roll_back(before)
            raise

    def _roll_back(self, before: Rows) -> None:
        for name in (each.name for each in fields(Rows)):
            now, then = getattr(self.rows, name), getattr(before, name)
            now.clear()
            now.extend(then) if isinstance(now, list) else now.update(then)

    def person(self, **fields: Any) -> User:
        """Somebody who is registered already, with an e-mail address of their own."""
        user_id = UserId(uuid4())
        values: dict[str, Any] = {
            "id": user_id,
            "email": f"{user_id}@example.com",
            "phone_e164": None,
            "name": "Mai Linh",
            "country": Country.VN,
            "settings": first_settings(Country.VN, None, None),
            "registered_at": self.clock.now(),
        }
        self.rows.users[user_id] = User(**values | fields)
        return self.rows.users[user_id]

    def user(self, user: User) -> User:
        """As they are now."""
        return self.rows.users[user.id]

    def code(self, contact: Contact, purpose: OtpPurpose, user: User | None = None) -> OtpGuess:
        """A code that was sent, typed without a mistake."""
        otp_id, code = OtpId(uuid4()), f"{secrets.randbelow(10**6):06d}"
        otp = Otp(
            id=otp_id,
            purpose=purpose,
            channel=Channel.EMAIL if contact.email else Channel.SMS,
            destination_hash=self.tools.secrets.destination_hash(contact.value),
            user_id=user.id if user else None,
            token_version=user.token_version if user else None,
            code_hash=self.tools.secrets.code_hash(otp_id, code),
            expires_at=self.clock.now() + LIFETIME,
        )
        self.rows.otps[otp_id] = OtpRow(otp=otp)
        return OtpGuess(otp_id=otp_id, code=code)

    def facts(self) -> list[str]:
        """Names of what was announced, in order."""
        return [type(each).__name__ for each in self.rows.facts]

    def events(self) -> list[SecurityEvent]:
        """What the security log says, in order."""
        return [event for event, _ in self.rows.log]

    def alive(self) -> set[SessionId]:
        """Sessions that were not revoked."""
        return {session_id for session_id, row in self.rows.sessions.items() if row.revoked is None}
