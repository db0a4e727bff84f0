"""One set of fixtures, one profile of hypothesis and one rule of tiers for every member's tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["testkit.plugin", "testkit.budgets"]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("sampan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sampan")

# Every client of Postgres reads these; what a person set for a server of theirs is not for ours.
for name in [each for each in os.environ if each.startswith("PG")]:
    del os.environ[name]

TIERS_WITH_INFRASTRUCTURE = {"component", "e2e", "fault"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A folder `component` marks its tests, and what asks for the infrastructure outside of a marked tier is refused.

    Otherwise the unit tests would start Postgres, Redis and Kafka, and leave them running.
    """
    for item in items:
        if "component" in item.path.parts:
            item.add_marker(pytest.mark.component)
        marks = {mark.name for mark in item.iter_markers()}
        if "infra" in getattr(item, "fixturenames", ()) and not marks & TIERS_WITH_INFRASTRUCTURE:
            message = f"{item.nodeid} uses the infrastructure: mark it, or move it to a folder `component`"
            raise pytest.UsageError(message)
