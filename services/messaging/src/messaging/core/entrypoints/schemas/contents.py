"""What a message can say, by type, as clients write it. Everything has a limit.

Types that only the system writes (``system``, ``payment``) are not here: a body with them is refused.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from chassis.http import Body, Line, Text
from kernel.text import as_seen, shows_something
from messaging.core.domain.message import TEXT_CHARS_MAX

CAPTION_CHARS_MAX = 2_000


def _says_something(text: str) -> str:
    if not shows_something(text):
        raise ValueError("nothing of it can be seen")
    return text


Words = Annotated[Text, Field(min_length=1, max_length=TEXT_CHARS_MAX), AfterValidator(_says_something)]
Caption = Annotated[Text, Field(max_length=CAPTION_CHARS_MAX)]
Name = Annotated[Line, Field(min_length=1, max_length=200), AfterValidator(_says_something)]
DurationS = Annotated[float, Field(gt=0, le=6 * 3600)]


class TextContent(Body):
    type: Literal["text"]
    text: Words


class CodeContent(Body):
    type: Literal["code"]
    text: Words
    language: Annotated[Line, Field(pattern=r"^[A-Za-z0-9+#._-]{1,32}$")] | None = None


class ImageContent(Body):
    type: Literal["image"]
    attachment_ids: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    text: Caption = ""


class VideoContent(Body):
    type: Literal["video"]
    attachment_id: UUID
    text: Caption = ""


class FileContent(Body):
    type: Literal["file"]
    attachment_ids: Annotated[list[UUID], Field(min_length=1, max_length=10)]
    text: Caption = ""


class VoiceContent(Body):
    type: Literal["voice"]
    attachment_id: UUID
    duration_s: DurationS
    waveform: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(default_factory=list, max_length=128)]


class StickerContent(Body):
    type: Literal["sticker"]
    attachment_id: UUID
    emoji: Annotated[Line, Field(max_length=32)] = ""


class GifContent(Body):
    type: Literal["gif"]
    attachment_id: UUID
    text: Caption = ""


class LocationContent(Body):
    """WGS 84 degrees."""

    type: Literal["location"]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    name: Annotated[Line, Field(max_length=200)] = ""


class ContactContent(Body):
    type: Literal["contact"]
    name: Name
    phone_e164: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    user_id: UUID | None = None

    @model_validator(mode="after")
    def _reachable(self) -> ContactContent:
        if self.phone_e164 is None and self.user_id is None:
            raise ValueError("needs phone_e164 or user_id")
        return self


class PollContent(Body):
    type: Literal["poll"]
    question: Annotated[Text, Field(min_length=1, max_length=300), AfterValidator(_says_something)]
    options: Annotated[list[Name], Field(min_length=2, max_length=20)]
    multiple: bool = False
    anonymous: bool = False
    open_s: Annotated[int, Field(ge=5, le=90 * 86400)] | None = None

    @model_validator(mode="after")
    def _options_differ(self) -> PollContent:
        if len({as_seen(each) for each in self.options}) != len(self.options):
            raise ValueError("options must differ, and be seen to")
        return self


class OrderContent(Body):
    """A card of an order that the sender is a party of; it follows the order."""

    type: Literal["order"]
    order_id: UUID
    text: Caption = ""


class ProductContent(Body):
    """A card of a product; it follows the product."""

    type: Literal["product"]
    product_id: UUID
    text: Caption = ""


class EventContent(Body):
    """A card of an event people go to."""

    type: Literal["event"]
    event_id: UUID
    text: Caption = ""


Content = Annotated[
    TextContent
    | CodeContent
    | ImageContent
    | VideoContent
    | FileContent
    | VoiceContent
    | StickerContent
    | GifContent
    | LocationContent
    | ContactContent
    | PollContent
    | OrderContent
    | ProductContent
    | EventContent,
    Field(discriminator="type"),
]
