"""The whole stack for end-to-end and fault tests: the instance of the tests, started when it is not running."""

import os
import subprocess
import time
from pathlib import Path

import pytest
import pytest_asyncio
from demo.facts import read_facts

from testkit.client import Api

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def stack():
    """Facts of the running stack."""
    os.environ.setdefault("SAMPAN_INSTANCE", "test")
    subprocess.run(["make", "--no-print-directory", "up"], cwd=ROOT, check=True)
    return read_facts()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def api(stack):
    """The public API, through the gateway."""
    async with Api(stack.gateway_url) as client:
        yield client


@pytest.fixture
def seed():
    """Of what a fault test does at random."""
    value = int(os.environ.get("SAMPAN_FAULT_SEED", time.time_ns() % 1_000_000))
    print(f"seed {value}: SAMPAN_FAULT_SEED={value} repeats this run")
    return value
