"""How the demo talks: chapters, a timeline of records, and checks with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from google.protobuf.message import Message
from rich.console import Console
from rich.text import Text

from contracts.registry import is_pii
from demo.watcher import Seen

COLOURS = {
    "auth": "magenta",
    "commerce": "cyan",
    "payment": "green",
    "orchestrator": "yellow",
    "notification": "blue",
}

WORDS = ("order_number", "notification_type", "saga_type", "status", "reason", "reason_code", "code")


@dataclass(slots=True)
class Show:
    """Prints the story and remembers what did not hold."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    failures: list[str] = field(default_factory=list)
    checks: int = 0

    def chapter(self, number: int, title: str) -> None:
        self.console.print(f"\n[bold]{number}. {title}[/bold]")

    def say(self, text: str) -> None:
        self.console.print(f"   {text}")

    def timeline(self, records: Sequence[Seen], began: datetime) -> None:
        """One line a record: milliseconds since ``began``, who wrote it, what it says."""
        for seen in records:
            after_ms = (seen.time - began).total_seconds() * 1000
            colour = COLOURS.get(seen.source, "white")
            kind = "command" if ".commands." in seen.topic else "reply" if ".replies." in seen.topic else "event"
            arrow = {"command": "→", "reply": "←", "event": "•"}[kind]
            line = Text(f"   {after_ms:7.0f} ms  ")
            line.append(f"{seen.source:<13}", style=colour)
            line.append(f"{arrow} {seen.type:<20}", style="bold" if kind == "event" else "")
            line.append(told(seen.body), style="dim")
            self.console.print(line)

    def check(self, holds: object, what: str) -> None:
        """Say whether something holds; a failure is remembered for the exit code."""
        self.checks += 1
        mark = "[green]✓[/green]" if holds else "[red]✗[/red]"
        self.console.print(f"   {mark} {what}")
        if not holds:
            self.failures.append(what)


def told(body: Message) -> str:
    """What a person wants to see of a record: amounts, codes, numbers."""
    names = {each.name for each in body.DESCRIPTOR.fields if not is_pii(each)}
    parts = [str(getattr(body, name)) for name in WORDS if name in names and getattr(body, name)]
    for name in ("total", "amount"):
        if name in names and body.HasField(name):
            money = getattr(body, name)
            parts.append(f"{money.amount_minor / (1 if money.currency == 'VND' else 100):,.2f} {money.currency}")
    if "on_hand" in names:
        parts.append(f"{body.on_hand} on hand, {body.reserved} reserved")  # type: ignore[attr-defined]
    if "outcome" in names:
        parts.insert(0, {1: "succeeded", 2: "rejected"}.get(body.outcome, "?"))  # type: ignore[attr-defined]
    return "  ".join(parts)
