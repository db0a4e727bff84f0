"""Which passwords are taken."""

from __future__ import annotations

import pytest

from auth.adapters.common_password_gateway import common_passwords
from auth.domain.password import (
    PasswordTooCommonError,
    PasswordTooLongError,
    PasswordTooShortError,
    checked_password,
)
from kernel.errors import DomainError

OWN = ("Somchai Jaidee", "somchai.j@example.com", "+66812345678")


def check(password: str) -> str:
    return checked_password(password, common=common_passwords(), own_words=OWN)


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PasswordTooShortError),
        ("seven77", PasswordTooShortError),
        ("x7" * 64 + "y", PasswordTooLongError),
        ("password", PasswordTooCommonError),
        ("PassWord", PasswordTooCommonError),
        ("password2024", PasswordTooCommonError),
        ("Sayang123456", PasswordTooCommonError),
        ("bismillah99", PasswordTooCommonError),
        ("anhyeuem123!", PasswordTooCommonError),
        ("qwertyuiop", PasswordTooCommonError),
        ("poiuytrewq", PasswordTooCommonError),
        ("1qaz2wsx3edc", PasswordTooCommonError),
        ("aaaaaaaaaaaa", PasswordTooCommonError),
        ("abababababab", PasswordTooCommonError),
        ("abcdefghijkl", PasswordTooCommonError),
        ("somchai.j1", PasswordTooCommonError),
        ("+66812345678", PasswordTooCommonError),
    ],
)
def test_refused(password: str, error: type[DomainError]) -> None:
    with pytest.raises(error) as refusal:
        check(password)
    assert refusal.value.pointer == "/password"


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "kopi-o kosong peng", "ข้าวผัดกะเพราไข่ดาว", "x7" * 63 + "yz", "mưa rơi trên phố"],
)
def test_taken(password: str) -> None:
    assert check(password)


def test_one_form_for_what_keyboards_write_differently() -> None:
    assert check("cà phê sữa đá") == check("ca\u0300 phe\u0302 su\u031b\u0303a đa\u0301")


def test_list_is_large_and_folded() -> None:
    known = common_passwords()
    assert len(known) > 30_000
    assert all(password == password.casefold() for password in known)
