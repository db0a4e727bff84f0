"""Every consumer may read what it listens to, join its group, and write its dead letters to a topic that exists.

The broker refuses the whole consumer for one topic it may not read; a dead letter without a topic stays in the outbox.
"""

from functools import partial
from importlib import import_module
from types import SimpleNamespace

import pytest

from contracts.topics import Grant, load_topics
from eventing import Subscriptions
from eventing.dead_letters import topic_for
from registry import load_services
from testkit.infra import repository_root

SETTINGS = SimpleNamespace(erasure_grace_days=30)
APP = SimpleNamespace(settings=SETTINGS, blind=None)


def subscriptions_of(service):
    """What every service that consumes declares: its table of handlers, or what makes it."""
    declared = import_module(f"{service}.entrypoints.consumers").subscriptions
    return declared if isinstance(declared, Subscriptions) else declared()


CONSUMERS = [
    *(
        (each.name, partial(subscriptions_of, each.name))
        for each in load_services(repository_root())
        if "consume" in each.roles
    ),
    ("messaging", lambda: import_module("messaging.entrypoints.consumers").stream_consumer(APP)),
]
each_consumer = pytest.mark.parametrize(("service", "make"), CONSUMERS)


@pytest.fixture(scope="module")
def declared():
    return load_topics(repository_root())


@each_consumer
def test_a_service_is_a_reader_of_what_it_listens_to(service, make, declared):
    granted = {topic.name for topic in declared.topics if service == topic.owner or service in topic.readers}
    assert make().topics <= granted


@each_consumer
def test_the_dead_letters_of_a_consumer_have_a_topic_that_its_service_may_write(service, make, declared):
    topic = topic_for(make().consumer)
    assert topic in declared.names()
    assert Grant(f"User:{service}", "TOPIC", topic, "LITERAL", "WRITE") in declared.grants()


@each_consumer
def test_a_service_may_join_the_group_of_its_consumer(service, make, declared):
    group = make().consumer
    grants = declared.grants()
    assert Grant(f"User:{service}", "GROUP", group, "LITERAL", "READ") in grants or (
        group.startswith(f"{service}.")
        and Grant(f"User:{service}", "GROUP", f"{service}.", "PREFIXED", "READ") in grants
    )


def test_no_consumer_is_left_out():
    sources = (repository_root() / "services").glob("*/src/**/*.py")
    made = sum(source.read_text(encoding="utf-8").count("] = Subscriptions(") for source in sources)
    assert made == len(CONSUMERS)
