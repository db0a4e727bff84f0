"""Texts of every notification type in five languages, compiled once at start.

A variable that is missing is an error, never an empty space: StrictUndefined, and a test renders every text.
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
from kernel.money import Currency, Money

log = structlog.get_logger(__name__)

LANGUAGES: Final = ("en", "th", "id", "ms", "vi")
FALLBACK: Final = "en"


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str


class Templates:
    """Renders titles and bodies. Unknown languages and missing texts fall back to English."""

    def __init__(self) -> None:
        engine = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 -- plain text
        self._texts = {language: _compiled(engine, language) for language in LANGUAGES}

    def render(self, message_type: str, language: str, params: Mapping[str, Any]) -> Text:
        """The text of one message. Raises ``jinja2.UndefinedError`` when a variable is missing."""
        texts = self._texts.get(language, self._texts[FALLBACK])
        compiled = texts.get(message_type) or self._texts[FALLBACK][message_type]
        variables = {name: _shown(value, language) for name, value in params.items()}
        if "reason_code" in params:
            variables["reason"] = cancelled_because(str(params["reason_code"]), language)
        return Text(compiled["title"].render(variables), compiled["body"].render(variables))

    def shown(self, message_type: str, language: str, params: Mapping[str, Any]) -> Text:
        """The text, or in its place that it cannot be shown: one row that an older or newer process wrote, or that is
        broken, does not take a person's whole list away.
        """
        try:
            return self.render(message_type, language, params)
        except (jinja2.TemplateError, KeyError, ValueError, TypeError, OverflowError):
            log.exception("notification.unreadable", message_type=message_type)
            return self.render("unreadable", language, {})

    def mail(self, text: Text, language: str, name: str) -> str:
        """The plain-text body of an e-mail around a text."""
        layout = self._texts.get(language, self._texts[FALLBACK])["layout"]
        greeting = layout["greeting"].render(name=name)
        return f"{greeting}\n\n{text.body}\n\n{layout['closing'].render()}\n"


def money_param(amount: Money) -> Mapping[str, Any]:
    """An amount as a notification keeps it: shown in the reader's language whenever it is read."""
    return {"amount_minor": amount.amount_minor, "currency": amount.currency.value}


def _shown(value: Any, language: str) -> Any:
    """What was kept before amounts were is a text already."""
    if isinstance(value, Mapping) and value.keys() == {"amount_minor", "currency"}:
        return Money(value["amount_minor"], Currency(value["currency"])).display(language)
    return value


def _load(language: str) -> dict[str, dict[str, str]]:
    source = resources.files("notification.adapters") / "data" / f"{language}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _compiled(engine: jinja2.Environment, language: str) -> dict[str, dict[str, jinja2.Template]]:
    return {
        name: {part: engine.from_string(source) for part, source in parts.items()}
        for name, parts in _load(language).items()
    }
