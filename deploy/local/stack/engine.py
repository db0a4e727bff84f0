"""Whether the stack runs in containers: when a Docker engine answers, unless SAMPAN_STACK says otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess

ANSWER_TIMEOUT_S = 5.0


def docker_is_used() -> bool:
    """SAMPAN_STACK=docker or =processes decides; else an engine with the compose plugin that answers."""
    choice = os.environ.get("SAMPAN_STACK", "")
    if choice in {"docker", "processes"}:
        return choice == "docker"
    if shutil.which("docker") is None:
        return False
    return all(_succeeds("docker", *words) for words in (("info",), ("compose", "version")))


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=ANSWER_TIMEOUT_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False
