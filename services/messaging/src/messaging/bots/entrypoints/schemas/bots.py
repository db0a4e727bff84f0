"""What is said about bots, and to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field

from chassis.http import Body, Name, Query, View

WAIT_S_MAX: Final = 10
DisplayName = Annotated[Name, Field(min_length=2, max_length=64)]


class CommandBody(Body):
    """``command`` without its slash."""

    command: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
    description: Annotated[Name, Field(min_length=1, max_length=200)]


def _differ(commands: list[CommandBody]) -> list[CommandBody]:
    if len({each.command for each in commands}) != len(commands):
        raise ValueError("a command is there once")
    return commands


Commands = Annotated[list[CommandBody], Field(default_factory=list, max_length=50), AfterValidator(_differ)]


class MakeBotBody(Body):
    """``username`` ends in ``bot``, so that people know."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,28}bot$")]
    display_name: DisplayName
    commands: Commands


class DescribeBotBody(Body):
    display_name: DisplayName
    commands: Commands


class WebhookBody(Body):
    url: Annotated[str, Field(min_length=8, max_length=500)]


class CommandView(View):
    command: str
    description: str


class BotFaceView(View):
    """What everybody sees."""

    bot_id: UUID
    username: str
    display_name: str
    commands: list[CommandView]


class BotView(BotFaceView):
    """What the owner sees. ``failures``: how often in a row the webhook was not taken."""

    webhook_url: str | None
    failures: int
    failing_since: datetime | None
    created_at: datetime


class NewBotView(BotView):
    """``token`` is shown here and never again."""

    token: str


class BotsView(View):
    items: list[BotView]


class TokenView(View):
    token: str


class SecretView(View):
    """``secret`` signs every call; it is shown here and never again."""

    secret: str


class UpdatesQuery(Query):
    """``after``: the last ``update_id`` that was taken care of; everything up to it is forgotten."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    wait_s: Annotated[float, Field(ge=0, le=WAIT_S_MAX)] = 0.0


class UpdateView(View):
    """``event`` has the shape of a realtime frame."""

    update_id: int
    event: dict[str, Any]


class UpdatesView(View):
    items: list[UpdateView]
