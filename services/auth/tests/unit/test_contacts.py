"""E-mail addresses and phone numbers in their one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.adapters.contact_gateway import parsed_email, parsed_new_email, parsed_phone, phone_country
from auth.domain.contact import EmailRefusedError, MailboxNotAsciiError, PhoneRefusedError


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Mai.Linh@Example.COM", "mai.linh@example.com"),
        (" a@b.example.org ", "a@b.example.org"),
        ("x+y@example.co.th", "x+y@example.co.th"),
        ("user@xn--q9jyb4c.example", "user@xn--q9jyb4c.example"),
        ("user@みんな.example", "user@xn--q9jyb4c.example"),
        ("user@ＥＸＡＭＰＬＥ.com", "user@example.com"),
        ("user@BÜCHER.example", "user@xn--bcher-kva.example"),
    ],
)
def test_emails(text: str, kept: str) -> None:
    assert parsed_email(text) == kept


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@", "@b.com", "a@b", "a b@c.com", "a@@b.com", "a@b..com", "x" * 65 + "@example.com",
     "a@" + "b" * 250 + ".com", "a\u0000@example.com", "a@exam\u202eple.com", "a@example.com\nBcc: b@example.com"],
)  # fmt: skip
def test_emails_refused(text: str) -> None:
    with pytest.raises(EmailRefusedError):
        parsed_email(text)


@pytest.mark.parametrize("text", ["mäi@example.com", "สมชาย@example.com", "用户@例子.公司", "маи@example.com"])
def test_new_mailboxes_that_few_servers_take_are_refused_by_name(text: str) -> None:
    with pytest.raises(MailboxNotAsciiError) as refusal:
        parsed_new_email(text)
    assert parsed_email(text).rpartition("@")[2].isascii()  # who has one already signs in with it
    assert (refusal.value.code, refusal.value.pointer) == ("auth.email.mailbox_not_ascii", "/email")


@given(st.emails())
def test_what_is_kept_is_ascii_and_its_own_one_form(text: str) -> None:
    try:
        kept = parsed_new_email(text)
    except (EmailRefusedError, MailboxNotAsciiError):
        return
    assert kept.isascii()
    assert parsed_new_email(kept) == kept


@pytest.mark.parametrize(
    ("text", "kept", "country"),
    [
        ("+66 81 234 5678", "+66812345678", "TH"),
        ("+62 812-3456-7890", "+6281234567890", "ID"),
        ("+60 12 345 6789", "+60123456789", "MY"),
        ("+84 91 234 56 78", "+84912345678", "VN"),
        ("+65 8123 4567", "+6581234567", "SG"),
        ("+63 917 123 4567", "+639171234567", "PH"),
        ("+66 (0)81-234.5678", "+66812345678", "TH"),
        ("+66\u00a081\u2011234\u20135678", "+66812345678", "TH"),
        ("+６６８１２３４５６７８", "+66812345678", "TH"),
        ("+๖๖๘๑๒๓๔๕๖๗๘", "+66812345678", "TH"),
        ("＋６６８１２３４５６７８", "+66812345678", "TH"),
        ("﹢66812345678", "+66812345678", "TH"),
    ],
)
def test_phones(text: str, kept: str, country: str) -> None:
    assert parsed_phone(text) == kept
    assert phone_country(kept) == country


@pytest.mark.parametrize(
    "text",
    ["", "0812345678", "+66", "+6681234567890123", "+442079460958", "+12025550123", "+6621234567", "+66812345678;ext=5",
     "+66 8123 CALL", "+6681234CALL", "+66812345678x5", "+66812345678 ext. 5", "+66812345678,5", "+66812345678#5",
     "+66８１２３CALL", "+66 81 234 567８x", "+6681234567\u00b2", "+6681234567\u2467", "tel:+66812345678", "++66812345678", "＋+66812345678",
     "+66812345678;phone-context=+1", "+66*12345678", "+6681234567\u0e01",
     "+669", "phone", "+66 81 234 567x", "\u0000+66812345678", "+66812345678" * 5],
)  # fmt: skip
def test_phones_refused(text: str) -> None:
    with pytest.raises(PhoneRefusedError):
        parsed_phone(text)
