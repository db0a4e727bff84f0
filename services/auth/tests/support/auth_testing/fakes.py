"""Auth without Postgres, Redis, Argon2 and signatures: dicts behind the ports of the use cases.

``auth_testing.world`` makes a service of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from auth.domain.contact import Contact
from auth.domain.friend_request import FriendRequest, FriendRequestStatus
from auth.domain.ids import FriendRequestId, OtpId, SessionId, UserId
from auth.domain.otp import GUESSES_MAX, Otp, OtpPurpose
from auth.domain.refresh_token import Chain, RefreshToken
from auth.domain.relation import Relation, RelationKind
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason, Session
from auth.domain.signing_key import SigningKey
from auth.domain.user import User, UserNotFoundError, UserVersionStaleError
from auth.usecases.ports import Fact, Reservation, StoredChain
from kernel.clock import FixedClock


@dataclass(slots=True, kw_only=True)
class SessionRow:
    session: Session
    token: RefreshToken
    token_version: int
    revoked: RevocationReason | None = None


@dataclass(slots=True, kw_only=True)
class OtpRow:
    otp: Otp
    guesses: int = 0
    consumed: bool = False


@dataclass(slots=True)
class Rows:
    """What is committed."""

    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, SessionRow] = field(default_factory=dict)
    otps: dict[OtpId, OtpRow] = field(default_factory=dict)
    passwords: dict[UserId, list[str]] = field(default_factory=dict)
    networks: dict[UserId, set[str | None]] = field(default_factory=dict)
    relations: dict[tuple[RelationKind, UserId, UserId], Relation] = field(default_factory=dict)
    requests: dict[FriendRequestId, FriendRequest] = field(default_factory=dict)
    log: list[tuple[SecurityEvent, UserId | None]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    keys: dict[str, SigningKey] = field(default_factory=dict)


class FakeUsers:
    def __init__(self, rows: Rows) -> None:
        self._users = rows.users

    async def add(self, user: User) -> None:
        self._users[user.id] = user

    async def find(self, user_id: UserId) -> User | None:
        user = self._users.get(user_id)
        return user if user and user.deleted_at is None else None

    async def find_by_contact(self, contact: Contact) -> User | None:
        return next((each for each in self._users.values() if contact.value in {each.email, each.phone_e164}), None)

    async def lock(self, user_id: UserId) -> User:
        user = await self.find(user_id)
        if user is None:
            raise UserNotFoundError
        return user

    async def share(self, user_id: UserId) -> User:
        return await self.lock(user_id)

    async def save(self, user: User) -> None:
        if self._users[user.id].version != user.version - 1:
            raise UserVersionStaleError
        self._users[user.id] = user

    async def rehash(self, user_id: UserId, old_hash: str, new_hash: str) -> None:
        user = self._users.get(user_id)
        if user and user.password_hash == old_hash:
            self._users[user_id] = replace(user, password_hash=new_hash)


class FakeSessions:
    def __init__(self, rows: Rows) -> None:
        self._sessions = rows.sessions

    async def add(self, session: Session, token: RefreshToken, *, token_version: int, ip: str | None) -> None:
        self._sessions[session.id] = SessionRow(session=session, token=token, token_version=token_version)

    async def revoke(self, user_id: UserId, session_id: SessionId, reason: RevocationReason, now: datetime) -> bool:
        row = self._sessions.get(session_id)
        if row is None or row.session.user_id != user_id or row.revoked:
            return False
        row.revoked = reason
        return True

    async def revoke_all(
        self, user_id: UserId, reason: RevocationReason, now: datetime, *, keep: SessionId | None = None
    ) -> list[SessionId]:
        return [each for each in self._sessions if each != keep and await self.revoke(user_id, each, reason, now)]

    async def rebase(self, session_id: SessionId, token_version: int) -> None:
        self._sessions[session_id].token_version = token_version

    async def rebase_all(self, user_id: UserId, token_version: int) -> None:
        for row in self._sessions.values():
            if row.session.user_id == user_id:
                row.token_version = token_version

    async def is_alive(self, session_id: SessionId) -> bool:
        return session_id in self._sessions and self._sessions[session_id].revoked is None


class FakeOtps:
    def __init__(self, rows: Rows) -> None:
        self._otps = rows.otps

    async def add(self, otp: Otp, now: datetime) -> None:
        self._otps[otp.id] = OtpRow(otp=otp)

    async def guess(self, otp_id: OtpId, now: datetime) -> Otp | None:
        row = self._otps.get(otp_id)
        if row is None or row.consumed or row.guesses >= GUESSES_MAX or row.otp.expires_at <= now:
            return None
        row.guesses += 1
        return row.otp

    async def consume(self, otp_id: OtpId, now: datetime) -> bool:
        row = self._otps[otp_id]
        if row.consumed or row.otp.expires_at <= now:
            return False
        row.consumed = True
        return True


class FakePasswords:
    def __init__(self, rows: Rows) -> None:
        self._passwords = rows.passwords

    async def recent(self, user_id: UserId, count: int) -> list[str]:
        return self._passwords.get(user_id, [])[-count:]

    async def remember(self, user_id: UserId, password_hash: str, now: datetime) -> None:
        self._passwords.setdefault(user_id, []).append(password_hash)

    async def forget(self, user_id: UserId) -> None:
        self._passwords.pop(user_id, None)


class FakeNetworks:
    def __init__(self, rows: Rows) -> None:
        self._networks = rows.networks

    async def remember(self, user_id: UserId, ip: str | None, now: datetime) -> None:
        self._networks.setdefault(user_id, set()).add(ip)

    async def forget(self, user_id: UserId) -> None:
        self._networks.pop(user_id, None)


class FakeRelations:
    def __init__(self, rows: Rows) -> None:
        self._relations, self._users = rows.relations, FakeUsers(rows)

    async def lock_pair(self, one: UserId, other: UserId) -> None: ...

    async def lock_people(self, counted: Collection[UserId], others: Collection[UserId]) -> bool:
        return all([await self._users.find(each) for each in {*counted, *others}])

    async def set(
        self, kind: RelationKind, from_id: UserId, to_id: UserId, now: datetime, *, active: bool
    ) -> Relation | None:
        if await self.has(kind, from_id, to_id) is active:
            return None
        pairs = [(from_id, to_id)] + ([(to_id, from_id)] if kind is RelationKind.FRIEND else [])
        for one, other in pairs:
            self._relations[kind, one, other] = Relation(kind, one, other, 1, active, now)
        return self._relations[kind, from_id, to_id]

    async def has(self, kind: RelationKind, from_id: UserId, to_id: UserId) -> bool:
        found = self._relations.get((kind, from_id, to_id))
        return found is not None and found.active

    async def count(self, kind: RelationKind, from_id: UserId) -> int:
        return sum(each.active and each.kind == kind and each.from_id == from_id for each in self._relations.values())

    async def end_all(self, user_id: UserId, now: datetime) -> None:
        for kind, one, other in list(self._relations):
            if user_id in {one, other}:
                await self.set(kind, one, other, now, active=False)


class FakeFriendRequests:
    def __init__(self, rows: Rows) -> None:
        self._requests = rows.requests

    async def add(self, request: FriendRequest) -> None:
        self._requests[request.request_id] = request

    async def save(self, request: FriendRequest) -> None:
        self._requests[request.request_id] = request

    async def find(self, request_id: FriendRequestId) -> FriendRequest | None:
        return self._requests.get(request_id)

    async def find_waiting(self, one: UserId, other: UserId) -> FriendRequest | None:
        waiting = [each for each in self._requests.values() if each.status is FriendRequestStatus.PENDING]
        return next((each for each in waiting if {each.from_id, each.to_id} == {one, other}), None)

    async def end_all(self, user_id: UserId, now: datetime) -> None:
        for each in list(self._requests.values()):
            if user_id in {each.from_id, each.to_id} and each.status is FriendRequestStatus.PENDING:
                await self.save(replace(each, status=FriendRequestStatus.CANCELLED, decided_at=now))


class FakeSecurityLog:
    def __init__(self, rows: Rows) -> None:
        self._log = rows.log

    async def write(
        self,
        event: SecurityEvent,
        *,
        user_id: UserId | None = None,
        session_id: SessionId | None = None,
        ip: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        self._log.append((event, user_id))


class FakeEvents:
    def __init__(self, rows: Rows) -> None:
        self._facts = rows.facts

    def add(self, *facts: Fact) -> None:
        self._facts.extend(facts)


class FakeSigningKeys:
    def __init__(self, rows: Rows) -> None:
        self._keys = rows.keys

    async def lock(self) -> None: ...

    async def all(self) -> list[SigningKey]:
        return sorted(self._keys.values(), key=lambda each: each.signs_from)

    async def add(self, *, signs_from: datetime, now: datetime) -> SigningKey:
        kid = uuid4().hex
        self._keys[kid] = SigningKey(kid=kid, public_jwk={"kid": kid}, created_at=now, signs_from=signs_from)
        return self._keys[kid]

    async def reschedule(
        self, kid: str, *, signs_from: datetime | None = None, published_until: datetime | None = None
    ) -> None:
        key = self._keys[kid]
        self._keys[kid] = replace(
            key, signs_from=signs_from or key.signs_from, published_until=published_until or key.published_until
        )

    async def purge(self, now: datetime) -> int:
        dead = [kid for kid, key in self._keys.items() if key.published_until and key.published_until <= now]
        for kid in dead:
            del self._keys[kid]
        return len(dead)


class FakeTx:
    def __init__(self, rows: Rows, now: datetime) -> None:
        self.now = now
        self.users = FakeUsers(rows)
        self.sessions = FakeSessions(rows)
        self.otps = FakeOtps(rows)
        self.passwords = FakePasswords(rows)
        self.networks = FakeNetworks(rows)
        self.relations = FakeRelations(rows)
        self.friend_requests = FakeFriendRequests(rows)
        self.security_log = FakeSecurityLog(rows)
        self.events = FakeEvents(rows)
        self.signing_keys = FakeSigningKeys(rows)


class FakeHasher:
    """``new:`` before the password; hashes that begin with ``old:`` are outdated."""

    async def hash(self, password: str) -> str:
        return f"new:{password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash in {f"new:{password}", f"old:{password}"}

    def is_outdated(self, password_hash: str) -> bool:
        return password_hash.startswith("old:")


class FakeIssuer:
    def access_token(self, user: User, session_id: SessionId, now: datetime) -> str:
        return f"{user.id} {session_id} {now}"


class FakeSecrets:
    refresh_key = b"k" * 32

    def destination_hash(self, destination: str) -> bytes:
        return destination.encode()

    def code_hash(self, otp_id: OtpId, code: str) -> bytes:
        return otp_id.bytes + code.encode()


class FakeChains:
    """The next ``misses`` rotations find nothing, as while a session is carried over to another token version."""

    def __init__(self) -> None:
        self.stored: dict[SessionId, StoredChain] = {}
        self.misses = 0

    async def rotate(self, token: RefreshToken, successor: RefreshToken, now: datetime) -> StoredChain | None:
        self.misses -= 1
        stored = self.stored.get(token.session_id)
        if self.misses >= 0 or stored is None:
            return None
        if (stored.chain.generation, stored.chain.secret_hash) != (token.generation, token.hash()):
            return None
        chain = Chain(
            generation=successor.generation,
            secret_hash=successor.hash(),
            rotated_at=now,
            rotated_before_at=stored.chain.rotated_at,
        )
        self.stored[token.session_id] = replace(stored, chain=chain)
        return self.stored[token.session_id]

    async def find(self, session_id: SessionId, now: datetime) -> StoredChain | None:
        return self.stored.get(session_id)


class FakeAttempts:
    """``outcomes`` of all attempts, in order."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self.outcomes: list[str] = []

    async def reserve(self, account: str, method: str, ip: str | None, user_id: UserId | None = None) -> Reservation:
        at = self._clock.now()
        return Reservation(attempt_id=uuid4(), account_hash=account.encode(), method=method, ip=ip, counters=(), at=at)

    async def succeeded(self, attempt: Reservation, user_id: UserId) -> None:
        self.outcomes.append("succeeded")

    async def failed(self, attempt: Reservation, user_id: UserId | None) -> None:
        self.outcomes.append("failed")


@dataclass(slots=True)
class FakeSendLimits:
    """``budget_left``: whether any more messages may be sent. ``checked``: whom a code was wanted for."""

    budget_left: bool = True
    checked: list[UserId | None] = field(default_factory=list)

    async def check(self, contact: Contact, purpose: OtpPurpose, ip: str | None, user_id: UserId | None) -> None:
        self.checked.append(user_id)

    async def check_own(self, user_id: UserId, ip: str | None) -> None:
        self.checked.append(user_id)

    async def check_budget(self, contact: Contact) -> bool:
        return self.budget_left
