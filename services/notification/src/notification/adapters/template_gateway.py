"""Texts of every message in five languages, compiled once at start, and rendered with jinja2.

A variable that is missing is an error, never an empty space: StrictUndefined, and a test renders every text. What
people wrote (names of people, shops, products) leaves the app as plain words: see ``domain.plain_words``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import jinja2
import structlog

from contracts.cancel_reasons import cancelled_because
from kernel.country import LANGUAGES, text_language
from kernel.money import Currency, Money
from notification.domain.delivery import Delivery
from notification.domain.plain_words import plain_words
from notification.domain.recipient import Recipient
from notification.domain.rules import RULES

log = structlog.get_logger(__name__)

FALLBACK: Final = "en"


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A delivery in its reader's language. Empty address: this channel does not reach the person."""

    text: Text
    language: str
    name: str
    email: str
    phone_e164: str


class Templates:
    """Renders titles and bodies. Unknown languages and missing texts fall back to English."""

    def __init__(self) -> None:
        engine = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 -- plain text
        self._texts = {language: _compiled(engine, language) for language in LANGUAGES}

    def render(self, message_type: str, language: str, params: Mapping[str, Any]) -> Text:
        """The text of one message. Raises ``jinja2.UndefinedError`` when a variable is missing."""
        texts = self._texts.get(language, self._texts[FALLBACK])
        compiled = texts.get(message_type) or self._texts[FALLBACK][message_type]
        variables = {name: _display(value, language) for name, value in params.items()}
        if "reason_code" in params:
            variables["reason"] = cancelled_because(str(params["reason_code"]), language)
        return Text(compiled["title"].render(variables), compiled["body"].render(variables))

    def render_or_placeholder(self, message_type: str, language: str, params: Mapping[str, Any]) -> Text:
        """The text, or in its place that it cannot be shown: one row that an older or newer process wrote, or that is
        broken, does not take a person's whole list away.
        """
        try:
            return self.render(message_type, language, params)
        except (jinja2.TemplateError, KeyError, ValueError, TypeError, OverflowError):
            log.exception("notification.unreadable", message_type=message_type)
            return self.render("unreadable", language, {})

    def render_delivery(self, delivery: Delivery, recipient: Recipient | None) -> OutgoingMessage:
        """What a channel needs of a delivery; one with a payload carries its own address."""
        if delivery.payload is not None:
            return self._render_code(delivery, delivery.payload)
        language = recipient.language if recipient else FALLBACK
        name = plain_words(recipient.display_name) if recipient and RULES[delivery.message_type].by_name else ""
        params = {key: _in_plain_words(value) for key, value in (delivery.params or {}).items()} | {"name": name}
        return OutgoingMessage(
            text=self.render(delivery.message_type, language, params),
            language=language,
            name=name,
            email=recipient.email if recipient else "",
            phone_e164=recipient.phone_e164 if recipient else "",
        )

    def _render_code(self, delivery: Delivery, payload: Mapping[str, str]) -> OutgoingMessage:
        language = text_language(payload["locale"])
        minutes = max(1, round((delivery.expires_at - delivery.created_at).total_seconds() / 60))
        return OutgoingMessage(
            text=self.render(delivery.message_type, language, {"code": payload["code"], "minutes": minutes}),
            language=language,
            name="",
            email=payload["destination"],
            phone_e164=payload["destination"],
        )

    def mail(self, text: Text, language: str, name: str) -> str:
        """The plain-text body of an e-mail around a text."""
        layout = self._texts.get(language, self._texts[FALLBACK])["layout"]
        greeting = layout["greeting"].render(name=name)
        return f"{greeting}\n\n{text.body}\n\n{layout['closing'].render()}\n"


def _in_plain_words(value: object) -> object:
    return plain_words(value) if isinstance(value, str) else value


def _display(value: Any, language: str) -> Any:
    """What was stored before amounts were is a text already."""
    if isinstance(value, Mapping) and value.keys() == {"amount_minor", "currency"}:
        return Money(value["amount_minor"], Currency(value["currency"])).display(language)
    return value


def _compiled(engine: jinja2.Environment, language: str) -> dict[str, dict[str, jinja2.Template]]:
    source = resources.files("notification.adapters") / "data" / f"{language}.toml"
    return {
        name: {part: engine.from_string(text) for part, text in parts.items()}
        for name, parts in tomllib.loads(source.read_text(encoding="utf-8")).items()
    }
