"""What a person chose about language, time and privacy.

Invariant: a locale is one that Sampan writes in, and a time zone is a place or offset that the IANA database knows.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from kernel.country import LOCALES, Country
from kernel.errors import DomainError, Kind


class UnknownLocaleError(DomainError):
    code, kind = "auth.locale.unknown", Kind.INVALID
    title = "This language is not offered"


class UnknownTimeZoneError(DomainError):
    code, kind = "auth.time_zone.unknown", Kind.INVALID
    title = "This time zone does not exist"


class Audience(StrEnum):
    """Who may see something of a person."""

    EVERYONE = "everyone"
    FRIENDS = "friends"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A person's choices; privacy starts closed where it can be searched by, open where people expect it."""

    locale: str
    time_zone: str
    show_presence_to: Audience = Audience.EVERYONE
    direct_messages_from: Audience = Audience.EVERYONE
    read_receipts: bool = True
    show_profile_to: Audience = Audience.EVERYONE
    findable_by_email: bool = False
    findable_by_phone: bool = False

    def with_changes(self, **changes: Any) -> Settings:
        """The same choices with those given replaced; ``None`` leaves one as it is."""
        given = {name: value for name, value in changes.items() if value is not None}
        for name, check in (("locale", checked_locale), ("time_zone", checked_time_zone)):
            if given.get(name):
                check(given[name])
        return replace(self, **given)


def first_settings(country: Country, locale: str | None, time_zone: str | None) -> Settings:
    """What a new person starts with: what they asked for, else what their country reads."""
    return Settings(
        locale=checked_locale(locale or country.default_locale),
        time_zone=checked_time_zone(time_zone or country.default_time_zone),
    )


def checked_locale(locale: str) -> str:
    if locale not in LOCALES:
        raise UnknownLocaleError(f"One of {', '.join(LOCALES)}.", pointer="/locale")
    return locale


def checked_time_zone(time_zone: str) -> str:
    if time_zone not in _time_zones():
        raise UnknownTimeZoneError("An IANA name such as Asia/Bangkok.", pointer="/time_zone")
    return time_zone


# What the database has beside places: the machine's own zone, and the one of a machine that was never told its own.
_NO_PLACES: Final = {"Factory", "localtime", "posixrules"}


@cache
def _time_zones() -> Container[str]:
    return frozenset(available_timezones() - _NO_PLACES)
