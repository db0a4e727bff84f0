"""Reading Sampan's own descriptor options, typed once: the runtime's stubs do not know extensions of options."""

from __future__ import annotations

from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import MessageOptions
from google.protobuf.message import Message

from sampan.options.v1 import options_pb2

_RECORD: Final = cast("Any", options_pb2.record)
_PII: Final = cast("Any", options_pb2.pii)


def record_options(options: MessageOptions) -> options_pb2.Record | None:
    """How a message travels as a record, or None when it only is a part of others."""
    if not options.HasExtension(_RECORD):
        return None
    return cast("options_pb2.Record", options.Extensions[_RECORD])


def is_pii(field: FieldDescriptor) -> bool:
    """Whether a field holds personal data."""
    return bool(field.GetOptions().Extensions[_PII])


def descriptor_of(message: Message | type[Message]) -> Descriptor:
    return cast("Descriptor", message.DESCRIPTOR)
