"""The frames that clients send: ``auth`` and ``ping`` as the socket has them, and those of chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body
from messaging.core.domain.message import SendMessage
from messaging.core.entrypoints.schemas.messages import LaterSeq, SendMessageBody
from messaging.realtime.socket import frames as socket_frames
from messaging.realtime.socket.frames import PingFrame, Ref

DIALOGS_MAX: Final = 1000
PRESENCE_MAX: Final = 200
DialogIds = Annotated[list[UUID], Field(min_length=1, max_length=DIALOGS_MAX)]


class Positions(Body):
    """The last seq the client has of each dialog, and of its account."""

    dialogs: Annotated[dict[UUID, LaterSeq], Field(default_factory=dict, max_length=DIALOGS_MAX)]
    account_seq: LaterSeq | None = None


class AuthFrame(socket_frames.AuthFrame[Positions]):
    """The first frame; later again with a fresh token. ``resume``: where to go on, instead of from now."""


class ResumeFrame(Positions):
    type: Literal["resume"]
    ref: Ref | None = None


class SubscribeFrame(Body):
    type: Literal["subscribe"]
    dialog_ids: DialogIds
    ref: Ref | None = None


class UnsubscribeFrame(Body):
    type: Literal["unsubscribe"]
    dialog_ids: DialogIds
    ref: Ref | None = None


class SendFrame(SendMessageBody):
    """The body of POST /v1/dialogs/{dialog_id}/messages; the answer bears ``ref``."""

    type: Literal["send"]
    ref: Ref
    dialog_id: UUID

    def command(self, sender_id: UUID) -> SendMessage:
        return self.to_command(self.dialog_id, sender_id)


class AckFrame(Body):
    """How far the client has got in a dialog."""

    type: Literal["ack"]
    dialog_id: UUID
    delivered_seq: LaterSeq = 0
    read_seq: LaterSeq = 0
    ref: Ref | None = None


class TypingFrame(Body):
    type: Literal["typing"]
    dialog_id: UUID
    ref: Ref | None = None


class PresenceWatchFrame(Body):
    """Whose presence to tell from now on; replaces what was watched before."""

    type: Literal["presence.watch"]
    user_ids: Annotated[list[UUID], Field(max_length=PRESENCE_MAX)]
    ref: Ref | None = None


FRAMES: Final[Mapping[str, type[Body]]] = {
    "auth": AuthFrame,
    "resume": ResumeFrame,
    "subscribe": SubscribeFrame,
    "unsubscribe": UnsubscribeFrame,
    "send": SendFrame,
    "ack": AckFrame,
    "typing": TypingFrame,
    "presence.watch": PresenceWatchFrame,
    "ping": PingFrame,
}
