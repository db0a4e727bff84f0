"""What a channel needs of a delivery: the written text, and where it goes.

What people wrote (names of people, shops, products) leaves the app as plain words: see ``plain_words``.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.country import text_language
from notification.adapters.template_gateway import Templates, Text
from notification.domain.delivery import Delivery
from notification.domain.plain_words import plain_words
from notification.domain.recipient import DEFAULT_LANGUAGE, Recipient
from notification.domain.rules import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message in its reader's language. Empty address: this channel does not reach the person."""

    text: Text
    language: str
    name: str
    email: str
    phone_e164: str


def written(delivery: Delivery, recipient: Recipient | None, templates: Templates) -> Written:
    """Render a delivery for its recipient; one with a payload carries its own address."""
    if delivery.payload is not None:
        return _code(delivery, templates)
    language = recipient.language if recipient else DEFAULT_LANGUAGE
    name = plain_words(recipient.display_name) if recipient and RULES[delivery.message_type].by_name else ""
    params = {key: _outside(value) for key, value in (delivery.params or {}).items()} | {"name": name}
    return Written(
        text=templates.render(delivery.message_type, language, params),
        language=language,
        name=name,
        email=recipient.email if recipient else "",
        phone_e164=recipient.phone_e164 if recipient else "",
    )


def _outside(value: object) -> object:
    return plain_words(value) if isinstance(value, str) else value


def _code(delivery: Delivery, templates: Templates) -> Written:
    payload = delivery.payload or {}
    language = text_language(payload["locale"])
    minutes = max(1, round((delivery.expires_at - delivery.created_at).total_seconds() / 60))
    return Written(
        text=templates.render(delivery.message_type, language, {"code": payload["code"], "minutes": minutes}),
        language=language,
        name="",
        email=payload["destination"],
        phone_e164=payload["destination"],
    )
