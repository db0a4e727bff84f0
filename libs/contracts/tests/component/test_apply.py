"""Applying to a real broker: created, altered, drift reported, a stranger refused."""

import os
import uuid

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from contracts.apply import ClusterConfig, apply_topics, temporary_topics
from contracts.cluster import Cluster
from contracts.plan import make_plan
from contracts.topics import load_topics
from testkit.wait import eventually

pytestmark = pytest.mark.component


@pytest.fixture
def config(infra):
    return ClusterConfig(
        bootstrap=infra.kafka_bootstrap,
        username=infra.kafka_username,
        password=infra.kafka_password,
        mechanism=os.environ.get("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"),
    )


async def test_topics_are_created_once_mended_after_and_gone_at_the_end(config):
    prefix = f"ct{uuid.uuid4().hex[:8]}."
    async with temporary_topics(config, prefix=prefix, partitions=2) as declared:
        cluster = Cluster(config)
        again = await apply_topics(config, prefix=prefix, partitions=2)
        assert again.empty

        name = f"{prefix}public.auth.user.v1"
        entry = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
        spoilt = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        spoilt_future = cluster._admin.incremental_alter_configs([spoilt])[spoilt]
        stray_future = cluster._admin.create_topics([NewTopic(f"{prefix}public.auth.stray.v1", 1, 1)])
        spoilt_future.result(10)
        for future in stray_future.values():
            future.result(10)

        async def both_seen():
            """Brokers show a moment later what the controller took."""
            plan = await apply_topics(config, prefix=prefix, partitions=2, dry_run=True)
            return plan if plan.change and plan.drift else None

        seen = await eventually(both_seen, what="the spoilt topic and the stray one")
        assert [(change.topic, change.setting, change.before) for change in seen.change] == [
            (name, "retention.ms", "1000")
        ]
        assert seen.drift == (f"{prefix}public.auth.stray.v1 exists, but is not declared",)

        mended = await apply_topics(config, prefix=prefix, partitions=2)
        assert mended.change == seen.change
        left = await apply_topics(config, prefix=prefix, partitions=2, dry_run=True)
        assert left.actions == 0

        more = await apply_topics(config, prefix=prefix, partitions=3, grow=True)
        assert len(more.grow) == len(declared.topics)

        async def grown():
            return (await cluster.read()).topics[name].partitions == 3

        await eventually(grown, what="the third partition")

    async def nothing_left():
        found = await cluster.read()
        names = [*found.topics, *(grant.name for grant in found.grants or ())]
        return not [name for name in names if name.startswith(prefix)]

    await eventually(nothing_left, timeout_s=30, what="topics and grants gone")


async def test_a_plan_made_beside_another_one_is_harmless(config):
    prefix = f"ct{uuid.uuid4().hex[:8]}."
    async with temporary_topics(config, prefix=prefix, partitions=1):
        nothing_there = without_topics(await Cluster(config).read())
        late = make_plan(load_topics(), nothing_there, prefix=prefix)
        assert late.create
        await Cluster(config).do(late)


def without_topics(found):
    return type(found)(brokers=found.brokers, topics={}, grants=found.grants)


async def test_topics_for_a_test_need_a_prefix(config):
    with pytest.raises(ValueError, match="prefix"):
        async with temporary_topics(config, prefix=""):
            pass
