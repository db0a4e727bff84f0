"""The same infrastructure from containers, where a Docker engine answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from testkit.infra import Infra


def containers_wanted() -> bool:
    """True when a Docker engine answers and the local stack was not asked for."""
    if os.environ.get("SAMPAN_TEST_CONTAINERS", "auto") == "0" or shutil.which("docker") is None:
        return False
    answer = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)
    return answer.returncode == 0


@contextmanager
def container_infra() -> Iterator[Infra]:
    """Postgres with PostGIS, Redis and Kafka for as long as the block runs."""
    from testcontainers.kafka import KafkaContainer  # noqa: PLC0415 -- only where Docker answers
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415
    from testcontainers.redis import RedisContainer  # noqa: PLC0415

    with (
        PostgresContainer("postgis/postgis:15-3.3", driver=None) as postgres,
        RedisContainer("redis:7.2.15-alpine") as redis,
        KafkaContainer("confluentinc/cp-kafka:7.9.1").with_kraft() as kafka,
    ):
        yield Infra(
            postgres_admin_dsn=postgres.get_connection_url(),
            redis_url=f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(6379)}/0",
            kafka_bootstrap=kafka.get_bootstrap_server(),
            kafka_username=None,
            kafka_password=None,
        )
