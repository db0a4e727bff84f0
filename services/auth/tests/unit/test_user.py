"""People: what they may be called, how versions count, what others are told."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.domain import user as users
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.domain.settings import Audience, UnknownLocaleError, UnknownTimeZoneError, first_settings
from auth.domain.user import ContactMissingError, NameRefusedError, User
from auth.domain.username import UsernameRefusedError, checked_username
from kernel.country import Country
from kernel.text import seen, shows_something, single_spaced

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def somebody(*, email: str | None = "a@example.com", phone: str | None = None, name: str = "Ari Wibowo") -> User:
    user, _ = users.register(
        user_id=UserId(uuid.uuid4()),
        email=email,
        phone_e164=phone,
        name=name,
        country=Country.ID,
        settings=first_settings(Country.ID, None, None),
        password_hash="old",
        proved=False,
        now=NOW,
    )
    return user


def test_country_decides_language_and_zone() -> None:
    user = somebody()
    assert (user.settings.locale, user.settings.time_zone) == ("id-ID", "Asia/Jakarta")
    assert user.roles == {Role.USER}
    assert user.version == 1


def test_auth_1_reachable() -> None:
    with pytest.raises(ContactMissingError):
        somebody(email=None)


@pytest.mark.parametrize("name", ["", " ", "A", "  A  ", "x" * 101])
def test_auth_2_name_refused(name: str) -> None:
    with pytest.raises(NameRefusedError):
        somebody(name=name)


@pytest.mark.parametrize(
    "name", ["\u3164" * 3, "\uffa0" * 3, "\u115f\u1160", "\u2800" * 9, "\u3164\u0301\u3164", "A\u3164", "\u0301\u0301"]
)
def test_auth_2_name_of_blanks_refused(name: str) -> None:
    with pytest.raises(NameRefusedError):
        somebody(name=name)


@pytest.mark.parametrize("name", ["Kim \u3131\u3161", "김민수", "ดี", "می\u200cخواهم", "🐶🐶"])
def test_auth_2_names_that_show_are_kept_as_they_are(name: str) -> None:
    assert somebody(name=name).name == name


@given(
    st.text(min_size=2, max_size=100).filter(lambda text: len(seen(single_spaced(text))) >= 2 and shows_something(text))
)
def test_names_have_single_spaces(name: str) -> None:
    taken = somebody(name=name).name
    assert taken == taken.strip()
    assert "  " not in taken


def test_auth_3_each_change_counts_once_and_tells_the_new_state() -> None:
    after, event = users.change_profile(somebody(), {"name": "Ari W", "username": "Ari_W"}, NOW)
    assert (after.name, after.username, after.version) == ("Ari W", "ari_w", 2)
    assert event is not None
    assert event.user is after


def test_a_patch_without_effect_is_no_change() -> None:
    user = somebody()
    assert users.change_profile(user, {"name": " Ari  Wibowo "}, NOW) == (user, None)


def test_null_removes_a_username() -> None:
    named, _ = users.change_profile(somebody(), {"username": "ari_w"}, NOW)
    after, event = users.change_profile(named, {"username": None}, NOW)
    assert after.username is None
    assert event is not None


def test_privacy_is_not_told_language_is() -> None:
    user = somebody()
    quiet, nothing = users.change_settings(user, user.settings.with_changes(show_presence_to=Audience.NOBODY), NOW)
    assert (quiet.version, nothing) == (2, None)
    _, told = users.change_settings(quiet, quiet.settings.with_changes(locale="en-US"), NOW)
    assert told is not None
    assert told.user.version == 3


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"locale": "xx"}, UnknownLocaleError),
        ({"time_zone": "Asia/Atlantis"}, UnknownTimeZoneError),
        ({"time_zone": "localtime"}, UnknownTimeZoneError),
        ({"time_zone": "Factory"}, UnknownTimeZoneError),
    ],
)
def test_unknown_choices(changes: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        users.change_profile(somebody(), changes, NOW)


def test_nobody_loses_the_user_role() -> None:
    after, event = users.change_roles(somebody(), frozenset({Role.OPS}), NOW)
    assert after.roles == {Role.USER, Role.OPS}
    assert event is not None
    assert users.change_roles(after, after.roles, NOW) == (after, None)


def test_auth_4_token_version_rises_with_password_logout_and_deletion() -> None:
    user = somebody()
    assert users.set_password(user, "new").token_version == 1
    assert users.log_out_everywhere(user).token_version == 1
    deleted, event = users.delete(user, NOW)
    assert deleted.token_version == 1
    assert deleted.password_hash is None
    assert event.user.deleted_at == NOW


@pytest.mark.parametrize(
    "name", ["", "ab", "1abc", "a b c", "x" * 31, "админ", "Admin", "support", "me", "a-b-c", "_abc", "admin_"]
)
def test_usernames_refused(name: str) -> None:
    with pytest.raises(UsernameRefusedError):
        checked_username(name)


@pytest.mark.parametrize(("given", "kept"), [("Mai_Linh", "mai_linh"), ("b2b", "b2b")])
def test_usernames_taken(given: str, kept: str) -> None:
    assert checked_username(given) == kept


def test_password_hash_stays_out_of_repr() -> None:
    assert "old" not in repr(somebody())
