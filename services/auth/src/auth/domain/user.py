"""A person: who they are to others, what they may do, whether they still exist.

Invariants, which the table's CHECK constraints and the tests cite:
AUTH-1: an existing person has an e-mail address or a phone number.
AUTH-2: a name has 2 to 100 characters, and shows something.
AUTH-3: each change adds one to ``version``, and a change of what others may know is announced in an event with it.
AUTH-4: raising ``token_version`` ends every session begun and every code asked for under a lower one; of codes to an
address which nobody has proved yet, only the first few times.
AUTH-12: the first proof of an address or number leaves nothing to sign in with that was made up before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from auth.domain.ids import UserId
from auth.domain.otp import Channel, Otp
from auth.domain.roles import FIRST_ROLES, Role
from auth.domain.settings import Settings
from auth.domain.username import checked_username
from kernel.country import Country
from kernel.errors import DomainError, Kind
from kernel.text import seen, shows_something, single_spaced

NAME_LENGTH_MIN: Final = 2
NAME_LENGTH_MAX: Final = 100


class ContactMissingError(DomainError):
    code, kind = "auth.user.contact_missing", Kind.INVALID
    title = "An e-mail address or a phone number is needed"


class EmailTakenError(DomainError):
    code, kind = "auth.user.email_taken", Kind.CONFLICT
    title = "This e-mail address has an account"


class PhoneTakenError(DomainError):
    code, kind = "auth.user.phone_taken", Kind.CONFLICT
    title = "This phone number has an account"


class NameRefusedError(DomainError):
    code, kind = "auth.user.name_refused", Kind.INVALID
    title = "A name has 2 to 100 characters that can be seen"


class UserNotFoundError(DomainError):
    code, kind = "auth.user.not_found", Kind.NOT_FOUND
    title = "There is no such person"


class UserVersionStaleError(DomainError):
    code, kind = "auth.user.version_stale", Kind.PRECONDITION
    title = "The profile changed since it was read"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The aggregate. ``password_hash`` is None for people who only use codes."""

    id: UserId
    email: str | None
    email_verified_at: datetime | None = None
    phone_e164: str | None
    phone_verified_at: datetime | None = None
    username: str | None = None
    name: str
    country: Country
    kyc_tier: int = 1
    roles: frozenset[Role] = FIRST_ROLES
    settings: Settings
    password_hash: str | None = field(default=None, repr=False)
    token_version: int = 0
    access_epoch: int = 0
    version: int = 1
    registered_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered:
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    """The person as they are since then."""

    user: User
    changed_at: datetime


class UserProfileChanged(UserChanged):
    """Their name, language, time zone or what is proved of them."""


class UserRolesChanged(UserChanged):
    """What they may do."""


class UserAccessReset(UserChanged):
    """AUTH-12: nothing that was made to act for the person under a lower ``access_epoch`` does any more, in any
    service.
    """


class UserDeleted(UserChanged):
    """They are no more."""


class UserPrivacyChanged(UserChanged):
    """What others may see and do; announced to services that need it."""


UserEvent = UserRegistered | UserProfileChanged | UserRolesChanged | UserAccessReset | UserDeleted | UserPrivacyChanged


def register(
    *,
    user_id: UserId,
    email: str | None,
    phone_e164: str | None,
    name: str,
    country: Country,
    settings: Settings,
    password_hash: str | None,
    proved: bool,
    now: datetime,
) -> tuple[User, UserRegistered]:
    """A new person (AUTH-1, AUTH-2). ``proved``: the address or number was shown to be theirs."""
    if email is None and phone_e164 is None:
        raise ContactMissingError
    user = User(
        id=user_id,
        email=email,
        email_verified_at=now if proved and email else None,
        phone_e164=phone_e164,
        phone_verified_at=now if proved and phone_e164 else None,
        name=checked_name(name),
        country=country,
        settings=settings,
        password_hash=password_hash,
        registered_at=now,
    )
    return user, UserRegistered(user=user)


def change_profile(
    user: User, changes: Mapping[str, str | None], now: datetime
) -> tuple[User, UserProfileChanged | None]:
    """Apply a merge patch of ``name``, ``username``, ``locale`` and ``time_zone``; None for no change at all."""
    changed = user
    if "name" in changes:
        changed = replace(changed, name=checked_name(changes["name"] or ""))
    if "username" in changes:
        username = changes["username"]
        changed = replace(changed, username=None if username is None else checked_username(username))
    settings = changed.settings.with_changes(locale=changes.get("locale"), time_zone=changes.get("time_zone"))
    return _changed(user, replace(changed, settings=settings), now)


def change_settings(user: User, settings: Settings, now: datetime) -> tuple[User, UserProfileChanged | None]:
    """Replace the choices. The event is there when locale or time zone changed; privacy is enforced here."""
    changed, event = _changed(user, replace(user, settings=settings), now)
    announced = (user.settings.locale, user.settings.time_zone) != (settings.locale, settings.time_zone)
    return changed, event if announced else None


def privacy_changed(before: User, after: User, now: datetime) -> UserPrivacyChanged | None:
    """What to tell when a choice that other services honour is another."""
    return None if _privacy(before) == _privacy(after) else UserPrivacyChanged(user=after, changed_at=now)


def _privacy(user: User) -> tuple[object, ...]:
    choices = user.settings
    return choices.show_presence_to, choices.direct_messages_from, choices.read_receipts


def change_roles(user: User, roles: frozenset[Role], now: datetime) -> tuple[User, UserRolesChanged | None]:
    """Give exactly these roles; ``user`` is never lost. Tokens that say otherwise end (AUTH-4)."""
    roles |= FIRST_ROLES
    if roles == user.roles:
        return user, None
    changed = replace(user, roles=roles, token_version=user.token_version + 1, version=user.version + 1)
    return changed, UserRolesChanged(user=changed, changed_at=now)


def require_version(user: User, versions: frozenset[int] | None) -> None:
    """``versions`` are those that were read (``If-Match``); None takes any. Raises ``UserVersionStaleError``."""
    if versions is not None and user.version not in versions:
        raise UserVersionStaleError


def require_same_credentials(before: User, now: User) -> None:
    """Raises ``UserVersionStaleError`` when the person signs in otherwise than before (AUTH-4)."""
    if (now.password_hash, now.token_version) != (before.password_hash, before.token_version):
        raise UserVersionStaleError("The password or the sessions were changed at the same moment.")


def is_proved(user: User, channel: Channel) -> bool:
    """Whether the address (or the number) was ever shown to be theirs."""
    return (user.email_verified_at if channel is Channel.EMAIL else user.phone_verified_at) is not None


def holds_code(user: User, otp: Otp) -> bool:
    """Whether it is the person's code, and nothing they did since has ended it (AUTH-4)."""
    return otp.user_id == user.id and otp.holds_for(user.token_version, proved=is_proved(user, otp.channel))


def prove_contact(user: User, channel: Channel, now: datetime, *, keep_password: bool) -> User:
    """AUTH-12: the address or number was shown to be theirs for the first time.

    ``keep_password`` when the proof came from somebody who is signed in with it.
    """
    if is_proved(user, channel):
        return user
    return replace(
        user,
        email_verified_at=now if channel is Channel.EMAIL else user.email_verified_at,
        phone_verified_at=now if channel is Channel.SMS else user.phone_verified_at,
        password_hash=user.password_hash if keep_password else None,
        token_version=user.token_version + 1,
        access_epoch=user.access_epoch if keep_password else user.access_epoch + 1,
        version=user.version + 1,
    )


def set_password(user: User, password_hash: str) -> User:
    """A new password; AUTH-4 ends the sessions that began before."""
    return replace(user, password_hash=password_hash, token_version=user.token_version + 1, version=user.version + 1)


def log_out_everywhere(user: User) -> User:
    """AUTH-4, for every device at once."""
    return replace(user, token_version=user.token_version + 1, version=user.version + 1)


def delete(user: User, now: datetime) -> tuple[User, UserDeleted]:
    """Gone for others at once and unable to sign in; the address and number are free again."""
    changed = replace(
        user, deleted_at=now, password_hash=None, token_version=user.token_version + 1, version=user.version + 1
    )
    return changed, UserDeleted(user=changed, changed_at=now)


def checked_name(text: str) -> str:
    """AUTH-2, on the text without spaces around it and with single spaces inside."""
    name = single_spaced(text)
    if not (len(seen(name)) >= NAME_LENGTH_MIN and len(name) <= NAME_LENGTH_MAX and shows_something(name)):
        raise NameRefusedError(pointer="/name")
    return name


def _changed(before: User, after: User, now: datetime) -> tuple[User, UserProfileChanged | None]:
    if after == before:
        return before, None
    changed = replace(after, version=before.version + 1)
    return changed, UserProfileChanged(user=changed, changed_at=now)
