"""A service made of fakes, for tests of use cases."""

from __future__ import annotations

import pytest

from auth_testing.world import World


@pytest.fixture
def world() -> World:
    return World()
