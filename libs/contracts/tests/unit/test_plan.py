"""Plans: create what is missing, change what differs, and never destroy anything unasked."""

import dataclasses

import pytest

from contracts.plan import Found, FoundTopic, make_plan
from contracts.topics import Declared, Grant, Topic

TOPIC = Topic(
    name="public.a.b.v1",
    owner="a",
    about="x",
    partitions=6,
    replication=3,
    min_insync=2,
    cleanup="delete",
    retention_days=7,
    readers=frozenset({"b"}),
)
DECLARED = Declared((TOPIC,))
SETTINGS = {"cleanup.policy": "delete", "retention.ms": "604800000", "min.insync.replicas": "2"}
THERE = Found(
    brokers=3,
    topics={"public.a.b.v1": FoundTopic(6, 3, SETTINGS, frozenset(SETTINGS))},
    grants=DECLARED.grants(),
)


def with_topic(**changes):
    return dataclasses.replace(
        THERE, topics={"public.a.b.v1": dataclasses.replace(THERE.topics["public.a.b.v1"], **changes)}
    )


def test_nothing_to_do_is_an_empty_plan():
    assert make_plan(DECLARED, THERE).empty


def test_an_empty_cluster_gets_everything_under_the_prefix():
    plan = make_plan(DECLARED, Found(brokers=1, topics={}, grants=frozenset()), prefix="t1.")
    assert [(topic.name, topic.replication) for topic in plan.create] == [("t1.public.a.b.v1", 1)]
    assert set(plan.grant) == DECLARED.grants("t1.")


def test_without_an_authorizer_no_grant_is_tried():
    assert make_plan(DECLARED, dataclasses.replace(THERE, grants=None)).empty


def test_a_setting_that_differs_is_changed_and_only_that():
    plan = make_plan(DECLARED, with_topic(settings=SETTINGS | {"retention.ms": "1"}))
    assert [(change.setting, change.before, change.after) for change in plan.change] == [
        ("retention.ms", "1", "604800000")
    ]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (with_topic(partitions=3), "--grow"),
        (with_topic(partitions=12), "cannot shrink"),
        (with_topic(replication=1), "reassign by hand"),
        (
            with_topic(settings=SETTINGS | {"segment.ms": "5"}, overrides=frozenset({*SETTINGS, "segment.ms"})),
            "segment.ms is set to 5, but not declared",
        ),
        (
            dataclasses.replace(THERE, topics={**THERE.topics, "public.a.old.v1": FoundTopic(1, 1, {})}),
            "public.a.old.v1 exists, but is not declared",
        ),
        (
            dataclasses.replace(
                THERE,
                grants=THERE.grants | {Grant("User:a", "TOPIC", "public.z.z.v1", "LITERAL", "READ")},
            ),
            "not declared: User:a may READ topic public.z.z.v1",
        ),
    ],
)
def test_what_only_a_person_may_decide_is_reported_and_not_done(found, sentence):
    plan = make_plan(DECLARED, found)
    assert plan.actions == 0
    assert any(sentence in line for line in plan.drift)


def test_growing_and_pruning_happen_when_asked():
    stranger = Grant("User:a", "TOPIC", "public.z.z.v1", "LITERAL", "READ")
    found = dataclasses.replace(with_topic(partitions=3), grants=THERE.grants | {stranger})
    plan = make_plan(DECLARED, found, grow=True, prune=True)
    assert [(growth.before, growth.after) for growth in plan.grow] == [(3, 6)]
    assert plan.revoke == (stranger,)
    assert plan.drift == ()


def test_other_installations_on_the_cluster_are_left_alone():
    others = {"t9.public.a.b.v1": FoundTopic(1, 1, {}), "somebody.elses": FoundTopic(1, 1, {})}
    assert make_plan(DECLARED, dataclasses.replace(THERE, topics={**THERE.topics, **others})).empty
