"""Settings of the orchestrator: ORCHESTRATOR_*, read once."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class OrchestratorSettings(ServiceSettings):
    """Beyond every service's settings: how often timers are looked at, and how long ended sagas are kept."""

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_", frozen=True, extra="ignore", env_ignore_empty=True)

    timer_poll_s: float = Field(default=1.0, gt=0, le=2, description="how often timers are looked at")
    retention_days: int = Field(default=90, ge=30, description="how long ended sagas and their histories are kept")
    consumer_session_s: float = Field(
        default=6.0, ge=2, le=60, description="how long a killed process keeps its partitions; below 6 the broker's say"
    )
