"""Settings of the orchestrator: ORCHESTRATOR_*, read once."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class OrchestratorSettings(ServiceSettings):
    """Beyond every service's settings: how often timers are looked at, and how long ended sagas are kept."""

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_", frozen=True)

    timer_poll_s: float = 0.25
    retention_days: int = 90
