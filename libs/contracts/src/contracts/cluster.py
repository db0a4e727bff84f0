"""One Kafka cluster as an administrator sees it: reading what is there, doing what a plan says.

confluent-kafka's client does the talking. aiokafka's (0.14) has no calls for access lists, and its ``alter_configs``
replaces all settings of a topic instead of the named ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # documented, but not re-exported
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from contracts.plan import Found, FoundTopic, Plan
from contracts.topics import Grant, Topic

AclT = TypeVar("AclT", AclBinding, AclBindingFilter)

ATTEMPTS_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfig:
    """How to reach a cluster as an administrator."""

    bootstrap: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-256"
    tls: bool = False


class Cluster:
    """Reads and changes one cluster. Safe to use from one event loop; calls to the broker never block it."""

    def __init__(self, config: ClusterConfig) -> None:
        settings: dict[str, Any] = {
            "bootstrap.servers": config.bootstrap,
            "client.id": "sampan-contracts",
            "security.protocol": _protocol(config),
            "socket.timeout.ms": int(ATTEMPTS_TIMEOUT_S * 1000),
            "log_level": 2,
        }
        if config.username:
            settings |= {
                "sasl.mechanism": config.mechanism,
                "sasl.username": config.username,
                "sasl.password": config.password or "",
            }
        self._admin = AdminClient(settings)

    async def read(self) -> Found:
        """Everything that a plan compares. Raises ``KafkaException`` when the cluster does not answer."""
        listed = await asyncio.to_thread(self._admin.list_topics, timeout=ATTEMPTS_TIMEOUT_S)
        topics = await self._topics(listed.topics)
        return Found(brokers=len(listed.brokers), topics=topics, grants=await self._grants())

    async def do(self, plan: Plan) -> None:
        """Carry out a plan. Doing it twice, or beside another who does the same, is harmless."""
        if plan.create:
            await self._all(
                self._admin.create_topics([_new_topic(topic) for topic in plan.create]),
                but=KafkaError.TOPIC_ALREADY_EXISTS,
            )
        if plan.grow:
            more = [NewPartitions(growth.topic, growth.after) for growth in plan.grow]
            await self._all(self._admin.create_partitions(more))
        if plan.change:
            await self._all(self._admin.incremental_alter_configs(_resources(plan)))
        if plan.grant:
            await self._all(self._admin.create_acls([_binding(AclBinding, grant) for grant in plan.grant]))
        if plan.revoke:
            await self._all(self._admin.delete_acls([_binding(AclBindingFilter, grant) for grant in plan.revoke]))

    async def delete(self, names: Iterable[str]) -> None:
        """Delete topics with their records; those already gone are no error. Never part of a plan."""
        listed = list(names)
        if listed:
            await self._all(self._admin.delete_topics(listed), but=KafkaError.UNKNOWN_TOPIC_OR_PART)

    async def revoke(self, grants: Iterable[Grant]) -> None:
        """Take grants away; those already gone are no error."""
        listed = [_binding(AclBindingFilter, grant) for grant in grants]
        if listed:
            await self._all(self._admin.delete_acls(listed))

    async def _topics(self, listed: Mapping[str, Any]) -> dict[str, FoundTopic]:
        names = [name for name in listed if not name.startswith("__")]
        if not names:
            return {}
        asked = self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
        found = {}
        for resource, future in asked.items():
            try:
                settings = await asyncio.wrap_future(future)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # deleted since it was listed
                    raise
            else:
                found[resource.name] = _found(listed[resource.name].partitions, settings)
        return found

    async def _grants(self) -> frozenset[Grant] | None:
        nothing: Any = None  # the stubs forgot that a filter may leave a part open
        anything = AclBindingFilter(
            ResourceType.ANY,
            nothing,
            ResourcePatternType.ANY,
            nothing,
            nothing,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        try:
            bindings = await asyncio.wrap_future(self._admin.describe_acls(anything))
        except KafkaException as error:
            if error.args[0].code() == KafkaError.SECURITY_DISABLED:
                return None
            raise
        return frozenset(_grant(binding) for binding in bindings if _is_plain_allow(binding))

    async def _all(self, futures: Mapping[Any, Future[Any]], *, but: int | None = None) -> None:
        for what, future in futures.items():
            try:
                await asyncio.wrap_future(future)
            except KafkaException as error:
                if error.args[0].code() != but:
                    error.add_note(f"about {what}")
                    raise


def _protocol(config: ClusterConfig) -> str:
    transport = "SSL" if config.tls else "PLAINTEXT"
    return f"SASL_{transport}" if config.username else transport


def _found(partitions: Mapping[int, Any], settings: Mapping[str, Any]) -> FoundTopic:
    return FoundTopic(
        partitions=len(partitions),
        replication=len(partitions[0].replicas),
        settings={name: str(entry.value) for name, entry in settings.items()},
        overrides=frozenset(
            name for name, entry in settings.items() if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        ),
    )


def _new_topic(topic: Topic) -> NewTopic:
    return NewTopic(
        topic.name, num_partitions=topic.partitions, replication_factor=topic.replication, config=topic.settings
    )


def _resources(plan: Plan) -> list[ConfigResource]:
    by_topic: dict[str, list[ConfigEntry]] = {}
    for change in plan.change:
        entry = ConfigEntry(change.setting, change.after, incremental_operation=AlterConfigOpType.SET)
        by_topic.setdefault(change.topic, []).append(entry)
    return [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries) for topic, entries in by_topic.items()
    ]


def _is_plain_allow(binding: Any) -> bool:
    """Whether a binding can be said as a ``Grant``; anything else (hosts, denials) is not ours."""
    return (
        binding.permission_type == AclPermissionType.ALLOW
        and binding.host == "*"
        and binding.operation.name in {"READ", "WRITE", "DESCRIBE"}
        and binding.restype.name in {"TOPIC", "GROUP"}
    )


def _grant(binding: Any) -> Grant:
    return Grant(
        binding.principal,
        binding.restype.name,
        binding.name,
        binding.resource_pattern_type.name,
        binding.operation.name,
    )


def _binding(kind: type[AclT], grant: Grant) -> AclT:
    """A grant as something to be made, or as what finds it."""
    return kind(
        ResourceType[grant.resource],
        grant.name,
        ResourcePatternType[grant.pattern],
        grant.principal,
        "*",
        AclOperation[grant.operation],
        AclPermissionType.ALLOW,
    )
