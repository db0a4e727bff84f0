"""Every topic a service listens to is one it may read: the broker refuses the whole consumer for one that is not."""

from importlib import import_module

import pytest

from contracts.topics import load_topics
from testkit.infra import repository_root

SERVICES = ("commerce", "messaging", "notification", "payment")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_a_reader_of_what_it_listens_to(service):
    subscriptions = import_module(f"{service}.entrypoints.consumers").subscriptions
    granted = {
        topic.name
        for topic in load_topics(repository_root() / "deploy" / "kafka").topics
        if service == topic.owner or service in topic.readers
    }
    assert subscriptions.topics <= granted
