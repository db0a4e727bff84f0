"""The AsyncAPI 3 document of the socket, made from the models that read clients' frames and from a table of ours.

``python -m messaging_testing.asyncapi > services/messaging/asyncapi.yaml``; a test holds the file to this, and every
frame that the component tests are given to the file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

import yaml
from pydantic.json_schema import models_json_schema

from messaging.core.entrypoints.schemas.messages import MessageView
from messaging.live.entrypoints.schemas.frames import FRAMES
from messaging.realtime.domain.codes import REASONS, Close

Schema = dict[str, Any]
_REFS: Final = "#/components/schemas/{model}"
_TEXT: Final[Schema] = {"type": "string"}
_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_SEQ: Final[Schema] = {"type": "integer", "minimum": 0}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_SECONDS: Final[Schema] = {"type": "number", "minimum": 0}
_FLAG: Final[Schema] = {"type": "boolean"}
_OBJECT: Final[Schema] = {"type": "object"}
_TIME_OR_NOT: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_BY: Final[Schema] = {"type": ["string", "null"], "format": "uuid"}
_MESSAGE: Final[Schema] = {"$ref": _REFS.format(model="MessageView")}
_STORED: Final[Mapping[str, Schema]] = {"dialog_id": _UUID, "seq": _SEQ, "at": _TIME}
_OF_ACCOUNT: Final[Mapping[str, Schema]] = {"account_seq": _SEQ, "at": _TIME}
_ABOUT_MESSAGE: Final[Mapping[str, Schema]] = {**_STORED, "by": _BY, "message_seq": _SEQ}

# Type → (what it says, fields that are always there, fields that may be).
SERVER_FRAMES: Final[Mapping[str, tuple[str, Mapping[str, Schema], Mapping[str, Schema]]]] = {
    "ready": (
        "The connection is this person's; events follow. Also the answer to a renewed token.",
        {
            "session_id": _UUID,
            "node": _TEXT,
            "user_id": _UUID,
            "heartbeat_s": _SECONDS,
            "expires_in_s": {"type": "number"},
            "account_seq": _SEQ,
        },
        {"ref": _TEXT},
    ),
    "auth.expiring": ("Send auth with a fresh token within this time.", {"expires_in_s": {"type": "number"}}, {}),
    "message.new": ("A message.", {**_STORED, "message": _MESSAGE}, {}),
    "message.edited": (
        "A message says something else now. Replayed, it shows the message as it is, or not at all once it is gone.",
        _ABOUT_MESSAGE,
        {"message": _MESSAGE, "sender_id": _BY, "version": _COUNT},
    ),
    "message.deleted": ("A message is gone for everybody; its place stays.", _ABOUT_MESSAGE, {"sender_id": _BY}),
    "reaction.changed": (
        "Somebody put a reaction on a message, or took it back; count is how many have that emoji then.",
        {**_ABOUT_MESSAGE, "user_id": _UUID, "emoji": _TEXT, "added": _FLAG, "count": _COUNT},
        {"sender_id": _BY},
    ),
    "pin.changed": ("A message was pinned or unpinned.", {**_ABOUT_MESSAGE, "pinned": _FLAG}, {}),
    "poll.changed": ("The state of a poll.", {**_ABOUT_MESSAGE, "poll": _OBJECT}, {}),
    "card.changed": ("What a card shows.", {**_ABOUT_MESSAGE, "card": _OBJECT}, {}),
    "event.withheld": (
        "Stands where an event is about a message from before your time, or one that you deleted for yourself.",
        _STORED,
        {},
    ),
    "event.unreadable": (
        "Stands where an event was whose record is damaged. Of an account it has account_seq in place of seq.",
        {"at": _TIME},
        {"dialog_id": _UUID, "seq": _SEQ, "account_seq": _SEQ},
    ),
    "member.changed": (
        "Somebody came, went, is muted or banned or not any more, or has another role. Whoever it ends hears no more.",
        {
            **_STORED,
            "by": _BY,
            "member": {
                "type": "object",
                "properties": {"user_id": _UUID, "role": _TEXT, "status": _TEXT, "muted_until": _TIME_OR_NOT},
                "required": ["user_id", "role", "status"],
            },
        },
        {},
    ),
    "dialog.changed": (
        "These shared fields of the dialog are different now. What is before oldest_seq is gone, and counts as read.",
        {**_STORED, "dialog": _OBJECT},
        {"by": _BY},
    ),
    "dialog.added": ("You are in a dialog; it is watched from now on.", {**_OF_ACCOUNT, "dialog_id": _UUID}, {}),
    "dialog.removed": ("You are in it no longer.", {**_OF_ACCOUNT, "dialog_id": _UUID}, {"reason": _TEXT}),
    "dialog.settings": ("Your own settings of a dialog.", {**_OF_ACCOUNT, "dialog_id": _UUID}, {}),
    "draft.changed": (
        "Your draft changed on a device. Versions only grow, also when it was thrown away and another is begun.",
        {**_OF_ACCOUNT, "dialog_id": _UUID},
        {"version": _COUNT, "thrown_away": _FLAG},
    ),
    "read.changed": ("You have read further on a device.", {**_OF_ACCOUNT, "dialog_id": _UUID, "read_seq": _SEQ}, {}),
    "message.hidden": (
        "You deleted a message for yourself. It counts as unread no longer: counts follow as unread.",
        {**_OF_ACCOUNT, "dialog_id": _UUID, "message_seq": _SEQ},
        {},
    ),
    "scheduled.changed": (
        "A scheduled message was made, called back, sent, or could not be.",
        {**_OF_ACCOUNT, "dialog_id": _UUID},
        {},
    ),
    "attachment.changed": (
        "A file of yours was judged, or was taken back from everybody.",
        {**_OF_ACCOUNT, "attachment_id": _UUID, "status": _TEXT},
        {},
    ),
    "receipt": (
        "How far a member has got of the messages from from_seq on. Without read_seq: they, or you, do not tell of it.",
        {"dialog_id": _UUID, "user_id": _UUID, "from_seq": _SEQ, "delivered_seq": _SEQ},
        {"read_seq": _SEQ},
    ),
    "unread": (
        "Your counts of a dialog after you have read, or deleted a message for yourself.",
        {"dialog_id": _UUID, "read_seq": _SEQ, "unread": _COUNT, "mentions": _COUNT},
        {},
    ),
    "typing": (
        "Somebody is writing; forget it after expires_in_s.",
        {"dialog_id": _UUID, "user_id": _UUID, "expires_in_s": _SECONDS},
        {},
    ),
    "presence": (
        "Of somebody you look at. Who hides it looks absent.",
        {"user_id": _UUID, "online": _FLAG},
        {"last_seen_at": _TIME},
    ),
    "sent": (
        "Your message is stored. replayed: by an earlier attempt.",
        {
            "ref": _TEXT,
            "dialog_id": _UUID,
            "client_message_id": _UUID,
            "seq": _SEQ,
            "at": _TIME,
            "replayed": _FLAG,
        },
        {},
    ),
    "subscribed": (
        "Where the dialogs stand that are watched now, and those you may not watch.",
        {"dialogs": {"type": "object", "additionalProperties": _SEQ}, "refused": {"type": "array", "items": _UUID}},
        {"ref": _TEXT},
    ),
    "unsubscribed": ("No more of these.", {"dialog_ids": {"type": "array", "items": _UUID}}, {"ref": _TEXT}),
    "resumed": ("Everything you asked to resume is live.", {}, {"ref": _TEXT}),
    "gone": ("You named a dialog that you cannot read any more.", {"dialog_id": _UUID}, {}),
    "too_old": (
        "What follows your position is not kept, or it is from the future. Fetch anew; then go on after last_seq.",
        {},
        {"dialog_id": _UUID, "oldest_seq": _SEQ, "last_seq": _SEQ, "oldest_account_seq": _SEQ, "account_seq": _SEQ},
    ),
    "pong": ("The answer to ping.", {}, {"ref": _TEXT}),
    "error": (
        "A frame was refused, with the code HTTP has for it. With retry_after_s the same frame may be sent again.",
        {"code": _TEXT, "title": _TEXT, "detail": _TEXT},
        {
            "ref": _TEXT,
            "client_message_id": _UUID,
            "retry_after_s": _SECONDS,
            "errors": {"type": "array", "items": _OBJECT},
            "context": _OBJECT,
        },
    ),
    "bye": (
        "The node goes away. Connect again after retry_after_s: another one is there.",
        {"code": {"type": "integer"}, "retry_after_s": _SECONDS},
        {},
    ),
}
OPEN_FRAMES: Final = frozenset({"dialog.settings", "scheduled.changed"})
"""Frames with further fields: those that were changed."""
_DESCRIPTION: Final = """\
One WebSocket a device; JSON objects in text frames. The first frame is `auth`, within 10 s; never a token in the URL.

Every stored event of a dialog has the dialog's next `seq`, and is given in that order, each once: keep the last
one, and give it in `auth.resume` of the next connection. A `seq` that is not the next one means that something was
missed: send `resume` from where you are. Frames without `seq` or `account_seq` are not stored and may be lost. A client
must tolerate frames and fields it does not know.

Send `ping` (or anything) at least every `heartbeat_s`. Close codes:
"""


class _Plain(yaml.SafeDumper):
    """No anchors, and texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _represented)


def build() -> Schema:
    """The whole document."""
    incoming = {kind: f"client.{kind}" for kind in FRAMES}
    outgoing = {kind: f"server.{kind}" for kind in SERVER_FRAMES}
    refs, definitions = models_json_schema(
        [*((model, "validation") for model in FRAMES.values()), (MessageView, "serialization")],
        ref_template=_REFS,
    )
    del refs
    messages = {name: _message(kind, FRAMES[kind].__name__, FRAMES[kind].__doc__) for kind, name in incoming.items()}
    messages |= {name: _message(kind, name, SERVER_FRAMES[kind][0]) for kind, name in outgoing.items()}
    codes = "\n".join(f"- {int(code)}: {REASONS[code]}" for code in Close)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sampan realtime", "version": "1.0.0", "description": _DESCRIPTION + codes + "\n"},
        "defaultContentType": "application/json",
        "servers": {"gateway": {"host": "api.example", "protocol": "wss"}},
        "channels": {
            "realtime": {
                "address": "/v1/realtime",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "hear": _operation("receive", "What a client may send.", incoming.values()),
            "tell": _operation("send", "What the server sends.", outgoing.values()),
        },
        "components": {
            "messages": messages,
            "schemas": {
                **_without_mappings(definitions["$defs"]),
                **{name: _server_schema(kind) for kind, name in outgoing.items()},
            },
        },
    }


def render(document: Schema) -> str:
    """As the file has it."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def _without_mappings(schema: Any) -> Any:
    """Discriminators as AsyncAPI has them: the property's name alone. Which value means which schema, each says."""
    if isinstance(schema, list):
        return [_without_mappings(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _without_mappings(each) for name, each in schema.items()}
    match found.get("discriminator"):
        case {"propertyName": str(name)}:
            found["discriminator"] = name
    return found


def _operation(action: str, summary: str, names: Any) -> Schema:
    listed = [{"$ref": f"#/channels/realtime/messages/{name}"} for name in names]
    return {"action": action, "channel": {"$ref": "#/channels/realtime"}, "summary": summary, "messages": listed}


def _message(kind: str, schema: str, summary: str | None) -> Schema:
    told = " ".join((summary or "").split())
    return {"name": kind, **({"summary": told} if told else {}), "payload": {"$ref": f"#/components/schemas/{schema}"}}


def _server_schema(kind: str) -> Schema:
    _, always, sometimes = SERVER_FRAMES[kind]
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, **always, **sometimes},
        "required": ["type", *always],
        **({} if kind in OPEN_FRAMES else {"additionalProperties": False}),
    }


if __name__ == "__main__":
    sys.stdout.write(render(build()))
