"""Bodies, queries and views of dialogs and messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Body, Name, Query, ReadableText, View
from messaging.core.domain.message import MENTIONS_MAX, SendMessage
from messaging.core.entrypoints.schemas.contents import Content

Seq = Annotated[int, Field(ge=1, le=2**53)]
LaterSeq = Annotated[int, Field(ge=0, le=2**53)]


class ForwardFrom(Body):
    """A message the caller can see."""

    dialog_id: UUID
    seq: Seq


class SendMessageBody(Body):
    """``client_message_id``: made by the client, the same for every retry of this message.

    Exactly one of ``content`` and ``forward_from``.
    """

    client_message_id: UUID
    content: Content | None = None
    forward_from: ForwardFrom | None = None
    reply_to_seq: Seq | None = None
    thread_seq: Seq | None = None
    mention_user_ids: Annotated[list[UUID], Field(default_factory=list, max_length=MENTIONS_MAX)]
    mention_roles: Annotated[
        list[Literal["owner", "admin", "moderator", "member", "guest"]], Field(default_factory=list, max_length=5)
    ]
    mention_all: bool = False

    def _said(self) -> dict[str, Any]:
        if self.content is None:
            return {}
        said: dict[str, Any] = self.content.model_dump(mode="json", exclude_none=True)
        return said

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.content is None) == (self.forward_from is None):
            raise ValueError("needs exactly one of content and forward_from")
        return self

    def to_command(self, dialog_id: UUID, sender_id: UUID) -> SendMessage:
        """A forward without what it says, which is still to be read."""
        people = {str(each): None for each in self.mention_user_ids}
        roles = {f"@{each}": None for each in self.mention_roles}
        origin = self.forward_from
        return SendMessage(
            dialog_id=dialog_id,
            sender_id=sender_id,
            client_message_id=self.client_message_id,
            content=self._said(),
            forward_from=None if origin is None else (origin.dialog_id, origin.seq),
            reply_to_seq=self.reply_to_seq,
            thread_seq=self.thread_seq,
            mentions=(*people, *roles, *(("@all",) if self.mention_all else ())),
        )


class SentView(View):
    """Where the message is. ``replayed``: this id was stored before, by an earlier attempt."""

    dialog_id: UUID
    seq: int
    client_message_id: UUID
    sent_at: datetime
    replayed: bool


class EditMessageBody(Body):
    """``version``: the one that is edited; left out, whatever stands there is replaced."""

    content: Content
    version: Annotated[int, Field(ge=1, le=2**31)] | None = None


class PollView(View):
    votes: list[int]
    voters: int
    multiple: bool
    anonymous: bool
    closes_at: datetime | None
    closed_at: datetime | None
    mine: list[int]


class RevisionView(View):
    """What a message said before."""

    version: int
    content: dict[str, Any] | None
    written_at: datetime


class RevisionsView(View):
    """Oldest first, without what it says now."""

    items: list[RevisionView]


class PinView(View):
    seq: int
    pinned_by: UUID
    pinned_at: datetime
    message: MessageView


class PinsView(View):
    """Newest pin first."""

    items: list[PinView]


class ReactionView(View):
    emoji: str
    count: int
    mine: bool = False


class MessageView(View):
    """A message. ``seq`` is its identity in the dialog. A deleted one keeps its place and has no content.

    ``preview``: of a text that links to a product, shop or order of Sampan (``/products/{id}``), as a card shows it.
    """

    dialog_id: UUID
    seq: int
    sent_at: datetime
    sender_id: UUID | None
    content: dict[str, Any] | None
    client_message_id: UUID | None
    reply_to_seq: int | None
    thread_seq: int | None
    forward: dict[str, Any] | None
    mentions: list[str]
    version: int
    edited_at: datetime | None
    deleted_at: datetime | None
    reactions: list[ReactionView]
    reply_count: int
    pinned: bool
    poll: dict[str, Any] | None
    card: dict[str, Any] | None
    preview: dict[str, Any] | None
    attachments: list[dict[str, Any]]


class MessagesQuery(Query):
    """At most one of the three positions; none gives the latest."""

    after_seq: LaterSeq | None = None
    before_seq: Seq | None = None
    around_seq: Seq | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _one_position(self) -> Self:
        if sum(each is not None for each in (self.after_seq, self.before_seq, self.around_seq)) > 1:
            raise ValueError("give at most one of after_seq, before_seq and around_seq")
        return self


class MessagesView(View):
    """Oldest first. ``first_seq`` and ``last_seq`` are those of the dialog that the caller may read."""

    items: list[MessageView]
    has_before: bool
    has_after: bool
    last_seq: int


class ReadCursorBody(Body):
    """``read_seq``: everything up to it was seen. Going back is not possible; ``marked_unread`` says "look again"."""

    read_seq: LaterSeq | None = None
    delivered_seq: LaterSeq | None = None
    marked_unread: bool | None = None


class UnreadView(View):
    dialog_id: UUID
    read_seq: int
    delivered_seq: int
    unread: int
    mentions: int
    marked_unread: bool


class CreateDialogBody(Body):
    """``direct`` and ``bot``: with exactly one other, and the same dialog whoever of the two asks first.

    ``business``: with the shop ``shop_id``, one for each customer. ``topic``: about the product ``product_id``, one for
    all who want to talk about it; the shop's owner owns it.
    """

    kind: Literal["direct", "group", "channel", "bot", "business", "topic"]
    user_ids: Annotated[list[UUID], Field(default_factory=list, max_length=200)]
    shop_id: UUID | None = None
    product_id: UUID | None = None
    title: Annotated[Name, Field(max_length=120)] = ""
    description: Annotated[ReadableText, Field(max_length=1000)] = ""
    is_public: bool = False


class SyncBody(Body):
    """Where the client stands: the last seq it has of each dialog, and of its account.

    ``after_dialog_id``: go on with the dialogs behind this one (``more_after`` of the answer before).
    """

    dialogs: Annotated[dict[UUID, LaterSeq], Field(default_factory=dict, max_length=1000)]
    account_seq: LaterSeq = 0
    limit_per_dialog: Annotated[int, Field(ge=1, le=200)] = 50
    after_dialog_id: UUID | None = None
