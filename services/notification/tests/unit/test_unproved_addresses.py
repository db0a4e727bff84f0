"""Nothing a person typed goes into a mail to an address that nobody has proved."""

from datetime import UTC, datetime

import pytest

from kernel.country import LANGUAGES
from notification.adapters.template_gateway import Templates
from notification.domain.notification import Channel
from notification.domain.rules import RULES, may_be_sent
from notification_testing.builders import a_delivery, a_recipient

TYPED = "You won, collect it at evil example"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def mail_of(message_type, language, **params):
    """Subject and text."""
    templates = Templates()
    delivery = a_delivery(message_type=message_type, params=params)
    recipient = a_recipient(display_name=TYPED, locale=language)
    message = templates.render_delivery(delivery, recipient)
    return message.text.title + "\n" + templates.mail(message.text, message.language, message.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_welcome_mail_says_nothing_that_was_typed(language):
    mail = mail_of("welcome", language)
    assert not any(word in mail for word in TYPED.split() if len(word) > 4)
    greeting = mail.splitlines()[1]
    assert greeting == greeting.strip()
    assert " ," not in greeting


def test_control_other_mails_greet_by_name():
    assert TYPED in mail_of("order_delivered", "en", order_number="TH-26-000001", shop_name="Baan Thai")


def person(**proved):
    return a_recipient(display_name=TYPED, locale="en-US", **proved)


def sent_to(recipient):
    return {name for name in RULES if may_be_sent(name, Channel.EMAIL, recipient)}


def test_to_an_unproved_address_goes_only_what_holds_nothing_typed():
    assert sent_to(person(email_proved=False, phone_proved=True)) == {"welcome"}
    assert RULES["welcome"].params == frozenset()


def test_control_to_a_proved_address_goes_everything_and_where_nothing_was_told_too():
    assert sent_to(person(email_proved=True, phone_proved=False)) == RULES.keys()
    assert sent_to(person()) == RULES.keys()
