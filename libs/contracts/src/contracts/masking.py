"""A record as plain data with personal data hidden: for logs, consoles and timelines.

Invariant: no value of a field marked ``pii`` leaves ``mask``, however deep the field lies.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from contracts.options import descriptor_of, is_pii

HIDDEN = "***"


def mask(message: Message) -> dict[str, Any]:
    """The message in ProtoJSON with its own field names; each set personal field reads ``***``."""
    values = MessageToDict(message, preserving_proto_field_name=True)
    _hide(values, descriptor_of(message))
    return values


def _hide(values: dict[str, Any], descriptor: Descriptor) -> None:
    for field in descriptor.fields:
        if field.name not in values:
            continue
        if is_pii(field):
            values[field.name] = HIDDEN
        elif field.message_type is not None:
            _hide_within(values[field.name], field.message_type)


def _hide_within(value: Any, nested: Descriptor) -> None:
    if nested.GetOptions().map_entry:
        inner = nested.fields_by_name["value"]
        for key in value:
            if is_pii(inner):
                value[key] = HIDDEN
            elif inner.message_type is not None:
                _hide_within(value[key], inner.message_type)
        return
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):  # well-known types such as Timestamp are plain text in ProtoJSON
            _hide(item, nested)
