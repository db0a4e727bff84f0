"""Every record type with what its descriptor says about it.

Invariant: the proto files are the only source; nothing about a record type is written down twice.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

import sampan
from contracts.options import descriptor_of, is_pii, record_options
from sampan.options.v1 import options_pb2

PARTICIPANT = "{participant}"


class Audience(StrEnum):
    """Who may read a record type."""

    PUBLIC = "public"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """One message type that travels on Kafka as a record of its own.

    ``key`` names the field (or, for replies, the header) that becomes the record key. ``pii`` holds dotted paths
    of the fields with personal data. ``topic`` may hold ``{participant}``: see ``topic_of``.
    """

    name: str
    message: type[Message]
    owner: str
    audience: Audience
    topic: str
    key: str
    ordering: str
    pii: frozenset[str]

    @property
    def short_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def domain(self) -> str:
        """The second word of the full name: ``auth`` of ``sampan.auth.v1.UserRegistered``."""
        return self.name.split(".")[1]

    def topic_of(self, participant: str = "") -> str:
        """The topic as written by ``participant``. Raises ``ValueError`` when one is needed and missing."""
        if PARTICIPANT in self.topic and not participant:
            raise ValueError(f"{self.name} travels on one topic per participant: say which")
        return self.topic.replace(PARTICIPANT, participant)


@cache
def record_types() -> Mapping[str, RecordType]:
    """All record types by full name, in the order of their names."""
    found: dict[str, RecordType] = {}
    for module in _generated_modules():
        descriptor = importlib.import_module(module).DESCRIPTOR
        for message in descriptor.message_types_by_name.values():
            record = record_options(message.GetOptions())
            if record is not None:
                found[message.full_name] = _describe(message, record)
    return MappingProxyType(dict(sorted(found.items())))


def record_type(name: str) -> RecordType:
    """The record type of a full name, as the ``ce_type`` header carries it. Raises ``KeyError``."""
    return record_types()[name]


def record_of(message: Message | type[Message]) -> RecordType:
    """The record type of a message or its class. Raises ``KeyError`` when it is not a record of its own."""
    return record_types()[descriptor_of(message).full_name]


def pii_paths(descriptor: Descriptor, prefix: str = "", above: tuple[str, ...] = ()) -> frozenset[str]:
    """Dotted paths of the fields marked as personal data, in nested messages too."""
    if descriptor.full_name in above:
        return frozenset()
    paths: set[str] = set()
    for field in descriptor.fields:
        if is_pii(field):
            paths.add(f"{prefix}{field.name}")
        elif field.message_type is not None:
            nested = pii_paths(field.message_type, f"{prefix}{field.name}.", (*above, descriptor.full_name))
            paths.update(nested)
    return frozenset(paths)


def _describe(descriptor: Descriptor, record: options_pb2.Record) -> RecordType:
    return RecordType(
        name=descriptor.full_name,
        message=message_factory.GetMessageClass(descriptor),
        owner=record.owner,
        audience=Audience.PUBLIC if record.audience == options_pb2.AUDIENCE_PUBLIC else Audience.PRIVATE,
        topic=record.topic,
        key=record.key,
        ordering=record.ordering,
        pii=pii_paths(descriptor),
    )


def _generated_modules() -> list[str]:
    """Module names of all generated files. The packages have no ``__init__``, so the files are listed."""
    modules: set[str] = set()
    for root in sampan.__path__:
        for path in Path(root).rglob("*_pb2.py"):
            modules.add(".".join(("sampan", *path.relative_to(root).with_suffix("").parts)))
    return sorted(modules)
