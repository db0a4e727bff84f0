"""The README's program is run as it stands."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.component


async def test_the_readmes_program_works(world, tmp_path):
    readme = Path(__file__).parents[2] / "README.md"
    [program] = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    script = tmp_path / "adopt.py"
    script.write_text(program)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        env={
            **os.environ,
            "DATABASE_DSN": world.dsn,
            "KAFKA_BOOTSTRAP": world.kafka.bootstrap,
            "KAFKA_TOPIC_PREFIX": world.kafka.topic_prefix,
            **({"KAFKA_USERNAME": world.kafka.username} if world.kafka.username else {}),
            **({"KAFKA_PASSWORD": world.kafka.password} if world.kafka.password else {}),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert "seen: order-1" in output.decode()
