"""Whether the record types and the topic files tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.options import descriptor_of
from contracts.registry import PARTICIPANT, Audience, RecordType
from contracts.topics import Declared, Topic

HEADER_KEYS = frozenset({"reply_key"})


def inconsistencies(records: Mapping[str, RecordType], declared: Declared) -> list[str]:
    """One sentence for each disagreement; empty when there is none."""
    topics = {topic.name: topic for topic in declared.topics}
    found = [problem for record in records.values() for problem in _of_record(record, declared, topics)]
    return found + list(_unused(records, declared))


def topics_of(record: RecordType, declared: Declared) -> list[str]:
    """Every topic a record type may travel on."""
    if PARTICIPANT in record.topic:
        return [record.topic_of(service) for service in declared.services]
    return [record.topic]


def _of_record(record: RecordType, declared: Declared, topics: Mapping[str, Topic]) -> Iterator[str]:
    if not record.ordering:
        yield f"{record.name}: says nothing about order"
    if record.key not in descriptor_of(record.message).fields_by_name and record.key not in HEADER_KEYS:
        yield f"{record.name}: its key {record.key!r} is neither a field nor a header"
    audience = record.topic.partition(".")[0]
    if audience != record.audience:
        yield f"{record.name}: is {record.audience.value} but travels on {record.topic}"
    for name in topics_of(record, declared):
        topic = topics.get(name)
        if topic is None:
            yield f"{record.name}: {name} is declared by no service"
        elif record.owner not in {topic.owner, "participant"}:
            yield f"{record.name}: owned by {record.owner}, but {name} is owned by {topic.owner}"
    if record.audience is Audience.PUBLIC and ".commands." in record.topic:
        yield f"{record.name}: a command is never public"


def _unused(records: Mapping[str, RecordType], declared: Declared) -> Iterator[str]:
    used = {name for record in records.values() for name in topics_of(record, declared)}
    for topic in declared.topics:
        if topic.name not in used and not topic.name.endswith(".dlq.v1"):
            yield f"{topic.name}: declared, but no record type travels on it"
