"""What the use cases need from the outside, as Protocols; ``adapters`` and tests' fakes fill them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.domain.contact import Contact
from auth.domain.delays import Counter
from auth.domain.friend_request import FriendRequest, FriendRequestClosed, FriendRequestSent
from auth.domain.ids import FriendRequestId, OtpId, SessionId, UserId
from auth.domain.otp import Otp, OtpIssued, OtpPurpose
from auth.domain.refresh_token import Chain, RefreshToken
from auth.domain.relation import Relation, RelationChanged, RelationKind
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason, Session, SessionEvent
from auth.domain.signing_key import SigningKey
from auth.domain.user import User, UserEvent
from kernel.clock import Clock

Fact = UserEvent | SessionEvent | OtpIssued | RelationChanged | FriendRequestSent | FriendRequestClosed


class Users(Protocol):
    async def add(self, user: User) -> None:
        """Raises ``EmailTakenError`` or ``PhoneTakenError``."""

    async def find(self, user_id: UserId) -> User | None: ...
    async def find_by_contact(self, contact: Contact) -> User | None: ...
    async def lock(self, user_id: UserId) -> User:
        """The person, locked until the transaction ends. Raises ``UserNotFoundError``."""

    async def share(self, user_id: UserId) -> User:
        """The person, kept from changing until the transaction ends. Raises ``UserNotFoundError``."""

    async def save(self, user: User) -> None:
        """Compare-and-set on the version before. Raises ``UserVersionStaleError`` or ``UsernameTakenError``."""

    async def rehash(self, user_id: UserId, old_hash: str, new_hash: str) -> None:
        """The same password under today's parameters: no new version, no event."""


class Sessions(Protocol):
    async def add(self, session: Session, token: RefreshToken, *, token_version: int, ip: str | None) -> None: ...
    async def revoke(self, user_id: UserId, session_id: SessionId, reason: RevocationReason, now: datetime) -> bool:
        """False when it is not the person's, or over already."""

    async def revoke_all(
        self, user_id: UserId, reason: RevocationReason, now: datetime, *, keep: SessionId | None = None
    ) -> list[SessionId]: ...
    async def rebase(self, session_id: SessionId, token_version: int) -> None:
        """Carry a session over to the person's new token version (AUTH-4)."""

    async def rebase_all(self, user_id: UserId, token_version: int) -> None:
        """Carry every session of the version before over."""

    async def is_alive(self, session_id: SessionId) -> bool: ...


class Otps(Protocol):
    async def add(self, otp: Otp, now: datetime) -> None: ...
    async def guess(self, otp_id: OtpId, now: datetime) -> Otp | None:
        """Count one guess, for good; None when the code is unknown, late, used or out of guesses."""

    async def consume(self, otp_id: OtpId, now: datetime) -> bool:
        """Use the code up; False when somebody else did (AUTH-5)."""


class Passwords(Protocol):
    """The last password hashes of each person."""

    async def recent(self, user_id: UserId, count: int) -> list[str]: ...
    async def remember(self, user_id: UserId, password_hash: str, now: datetime) -> None: ...
    async def forget(self, user_id: UserId) -> None: ...


class Networks(Protocol):
    """From where a person signed in."""

    async def remember(self, user_id: UserId, ip: str | None, now: datetime) -> None: ...
    async def forget(self, user_id: UserId) -> None: ...


class Relations(Protocol):
    async def lock_pair(self, one: UserId, other: UserId) -> None:
        """No other transaction changes anything between the two until the commit."""

    async def lock_people(self, counted: Collection[UserId], others: Collection[UserId]) -> bool:
        """Whether all exist. None of them ends before the commit, and what ``counted`` have changes in no other way."""

    async def set(
        self, kind: RelationKind, from_id: UserId, to_id: UserId, now: datetime, *, active: bool
    ) -> Relation | None:
        """The relation when it changed, None when it was so already. A friendship is set both ways."""

    async def has(self, kind: RelationKind, from_id: UserId, to_id: UserId) -> bool: ...
    async def count(self, kind: RelationKind, from_id: UserId) -> int: ...
    async def end_all(self, user_id: UserId, now: datetime) -> None:
        """No friendship, follow or block of theirs, or with them, is left. Their row is locked."""


class FriendRequests(Protocol):
    async def add(self, request: FriendRequest) -> None: ...
    async def save(self, request: FriendRequest) -> None:
        """Its status and when it was decided."""

    async def find(self, request_id: FriendRequestId) -> FriendRequest | None: ...
    async def find_waiting(self, one: UserId, other: UserId) -> FriendRequest | None: ...
    async def end_all(self, user_id: UserId, now: datetime) -> None:
        """No request of theirs, or to them, waits any more. Their row is locked."""


class SecurityLog(Protocol):
    """What is written down has the time of the call."""

    async def write(
        self,
        event: SecurityEvent,
        *,
        user_id: UserId | None = None,
        session_id: SessionId | None = None,
        ip: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None: ...


class Events(Protocol):
    def add(self, *facts: Fact) -> None:
        """Announced with the commit, or not at all."""


class SigningKeys(Protocol):
    async def lock(self) -> None:
        """One rotation at a time."""

    async def all(self) -> list[SigningKey]: ...
    async def add(self, *, signs_from: datetime, now: datetime) -> SigningKey: ...
    async def reschedule(
        self, kid: str, *, signs_from: datetime | None = None, published_until: datetime | None = None
    ) -> None: ...
    async def purge(self, now: datetime) -> int:
        """Drop keys that left the key set; how many."""


class Tx(Protocol):
    """One transaction. Events leave with its commit."""

    @property
    def now(self) -> datetime:
        """The clock's time, at each use."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def otps(self) -> Otps: ...
    @property
    def passwords(self) -> Passwords: ...
    @property
    def networks(self) -> Networks: ...
    @property
    def relations(self) -> Relations: ...
    @property
    def friend_requests(self) -> FriendRequests: ...
    @property
    def security_log(self) -> SecurityLog: ...
    @property
    def events(self) -> Events: ...
    @property
    def signing_keys(self) -> SigningKeys: ...


Begin = Callable[[], AbstractAsyncContextManager[Tx]]


class Hasher(Protocol):
    """Passwords, off the event loop. Raises ``HashingBusyError`` when too many wait."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, password_hash: str | None, password: str) -> bool:
        """As slow for None as for a real hash, and then False."""

    def is_outdated(self, password_hash: str) -> bool: ...


class Issuer(Protocol):
    def access_token(self, user: User, session_id: SessionId, now: datetime) -> str: ...


class Secrets(Protocol):
    """Keyed hashes; the keys never leave the adapter, but for the chain's."""

    @property
    def refresh_key(self) -> bytes: ...
    def destination_hash(self, destination: str) -> bytes: ...
    def code_hash(self, otp_id: OtpId, code: str) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChain:
    """A session's refresh chain with the person behind it; only for living sessions."""

    chain: Chain
    user: User
    session_expires_at: datetime


class RefreshChains(Protocol):
    """The hot path of refreshing: single statements, each its own transaction."""

    async def rotate(self, token: RefreshToken, successor: RefreshToken, now: datetime) -> StoredChain | None: ...
    async def find(self, session_id: SessionId, now: datetime) -> StoredChain | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A sign-in attempt that was let through and waits for its outcome."""

    attempt_id: UUID
    account_hash: bytes
    method: str
    ip: str | None
    counters: tuple[Counter, ...]
    at: datetime
    in_postgres: bool = False  # it counted, because Redis was away


class Attempts(Protocol):
    """Counts and records sign-in attempts."""

    async def reserve(self, account: str, method: str, ip: str | None, user_id: UserId | None = None) -> Reservation:
        """Count the attempt as failed until its outcome is known, or until it must have been cut off.

        Raises ``TooManyAttemptsError``.
        """

    async def succeeded(self, attempt: Reservation, user_id: UserId) -> None: ...
    async def failed(self, attempt: Reservation, user_id: UserId | None) -> None: ...


class SendLimits(Protocol):
    """Limits on sending codes; they fail closed."""

    async def check(self, contact: Contact, purpose: OtpPurpose, ip: str | None, user_id: UserId | None) -> None:
        """Raises ``TooManyAttemptsError`` or ``LimitsUnavailableError``."""

    async def check_own(self, user_id: UserId, ip: str | None) -> None:
        """For somebody who is signed in. Raises as ``check``."""

    async def check_budget(self, contact: Contact) -> bool:
        """False when the country's budget of messages for this hour is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a use case works with besides its transaction."""

    begin: Begin
    clock: Clock
    hasher: Hasher
    issuer: Issuer
    secrets: Secrets
    common_passwords: Container[str]
    attempts: Attempts
    send_limits: SendLimits
    chains: RefreshChains
