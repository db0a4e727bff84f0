"""A mail carries what people wrote as plain words, in safe headers, to every mailbox that a mail can be sent to."""

import email
import email.policy
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notification.adapters.smtp_gateway import Mail
from notification.adapters.template_gateway import Templates
from notification.domain.mailbox import NotAMailboxError, mailbox_of
from notification.domain.plain_words import plain_words
from notification_testing.builders import a_delivery, a_recipient

NOW = datetime(2026, 11, 1, tzinfo=UTC)
# What mail programs are known to take for a link, without reading a list of top-level domains.
LINK = re.compile(r"(?i)\b[a-z]+://|\bwww\.\w|[\w.+-]+@[\w-]|[\w-]\.[^\W\d_]{2,}")


def a_mail(to="nok@example.com", subject="Hello"):
    return Mail(
        sender="Sampan <no-reply@sampan.example>",
        to=mailbox_of(to),
        subject=subject,
        text="สวัสดี",
        message_id="<1@sampan.example>",
        at=NOW,
    )


def read(content):
    return email.message_from_bytes(content, policy=email.policy.default)


@pytest.mark.parametrize(
    ("address", "sent_to", "utf8"),
    [
        ("nok@example.com", "nok@example.com", False),
        ("nok+tag@sub.example.com", "nok+tag@sub.example.com", False),
        ("nok@müller.example", "nok@xn--mller-kva.example", False),
        ("ผู้ใช้@example.com", "ผู้ใช้@example.com", True),
        ("ผู้ใช้@ตัวอย่าง.example", "ผู้ใช้@xn--72ca8b1bk6aza.example", True),
    ],
)
def test_a_mailbox_is_sent_to_as_servers_take_it(address, sent_to, utf8):
    mailbox = mailbox_of(address)
    assert mailbox.utf8 == utf8
    assert mailbox.address.split("@")[0] == sent_to.split("@")[0]
    assert mailbox.address.isascii() != utf8
    assert mailbox.address.split("@")[1].isascii()


@pytest.mark.parametrize(
    "address",
    ["", "nok", "@example.com", "nok@", "a b@example.com", "a\r\nBcc: x@example.com", "a\x00@b.c", "\ud800@b.c",
     "a@b..c", "<a@b.c>", "a@b.c, d@e.f", "a\u202e@b.c", f"a@{'x' * 64}.com"],
)  # fmt: skip
def test_what_is_no_mailbox_is_said_to_be_none(address):
    with pytest.raises(NotAMailboxError):
        mailbox_of(address)


@pytest.mark.parametrize("to", ["nok@example.com", "ผู้ใช้@example.com"])
@given(subject=st.text())
def test_no_subject_makes_a_header_or_a_line_of_its_own(to, subject):
    shown = plain_words(subject)
    content = a_mail(to, shown).as_bytes()
    parsed = read(content)
    assert set(parsed.keys()) == {
        "From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert f"\r\nTo: {to}\r\n".encode() in content
    assert parsed.get_content().strip() == "สวัสดี"


@pytest.mark.parametrize("subject", ["a\r\nBcc: x@example.com", "a\nb", "a\x0bb\x85c"])
def test_line_breaks_in_a_subject_are_spaces(subject):
    assert read(a_mail(subject=subject).as_bytes())["Bcc"] is None


def test_headers_are_encoded_as_old_servers_need_them():
    content = a_mail(subject="ยินดีต้อนรับ").as_bytes()
    assert content.isascii()
    assert read(content)["Subject"] == "ยินดีต้อนรับ"


@pytest.mark.parametrize(
    "name",
    ["http://evil.example/x", "Win at https://evil.example", "www.evil.example", "evil.com", "evil.co.th/pay",
     "mail me@evil.com", "ช้อป.ไทย", "1.2.3.evil.com"],
)  # fmt: skip
def test_a_name_with_an_address_stays_readable_and_is_no_link(name):
    shown = plain_words(name)
    assert LINK.search(name)
    assert not LINK.search(shown)
    assert shown.replace("\u200b", "") == name


@pytest.mark.parametrize("text", ["Somchai J. Nok", "Size 1.5 l", "THB 1,250.00", "Baan Thai & Co.", "Nón lá 👒👩‍🌾"])
def test_what_is_no_address_is_left_alone(text):
    assert plain_words(text) == text


@given(st.text())
def test_no_text_makes_a_link_or_a_line(text):
    shown = plain_words(text)
    assert not LINK.search(shown)
    assert shown == " ".join(shown.split())


def test_names_of_people_shops_and_products_leave_the_app_as_plain_words():
    delivery = a_delivery(
        message_type="order_shipped",
        params={"order_number": "TH-26-000042", "shop_name": "free.example\nhttp://evil.example"},
    )
    recipient = a_recipient(display_name="You won, see https://evil.example\n\nYour account is locked", locale="en")
    templates = Templates()
    message = templates.render_delivery(delivery, recipient)
    mail = templates.mail(message.text, message.language, message.name)
    assert not LINK.search(f"{message.text.title} {message.text.body} {mail}")
    assert len(mail.splitlines()) == len(templates.mail(message.text, "en", "Nok").splitlines())
