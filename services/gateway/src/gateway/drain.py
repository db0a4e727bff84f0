"""Running Envoy so that SIGTERM drains: new requests go elsewhere, those under way are answered, then it ends.

Only the standard library is used here, because this process stays beside Envoy for its whole life.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from types import FrameType

from gateway.errors import SettingError

_POLL_S = 0.1


def run(executable: Path, configuration: Path, *, admin_port: int, drain_s: int, arguments: list[str]) -> int:
    """Run Envoy until it ends or a signal asks it to. Returns its exit code."""
    command = [str(executable), "-c", str(configuration), "--drain-time-s", str(max(drain_s, 1)), *arguments]
    child = subprocess.Popen(command)  # noqa: S603 -- our own file
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    while child.poll() is None:
        if asked:
            drain(admin_port, drain_s)
            child.terminate()
            return child.wait()
        time.sleep(_POLL_S)
    return child.returncode


def drain(admin_port: int, drain_s: int) -> None:
    """Fail the health check, ask clients to leave, wait until nothing is under way or ``drain_s`` have passed."""
    try:
        _admin(admin_port, "POST", "/healthcheck/fail")
        _admin(admin_port, "POST", "/drain_listeners?graceful")
        deadline = time.monotonic() + drain_s
        while time.monotonic() < deadline and _active_requests(admin_port) > 0:
            time.sleep(_POLL_S)
    except OSError as error:
        print(f"gateway: draining without Envoy's help: {error}", file=sys.stderr)  # noqa: T201


def _active_requests(admin_port: int) -> int:
    text = _admin(admin_port, "GET", "/stats?format=json&filter=^http.api.downstream_rq_active$")
    stats = json.loads(text)["stats"]
    return int(stats[0]["value"]) if stats else 0


def _admin(port: int, method: str, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request(method, path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def from_environment() -> tuple[int, int]:
    """Admin port and drain time in seconds. Raises ``SettingError``."""
    return _number("GATEWAY_ADMIN_PORT", None), _number("GATEWAY_DRAIN_S", "15")


def _number(name: str, default: str | None) -> int:
    text = os.environ.get(name, default)
    if text is None or not text.isdecimal():
        raise SettingError(f"{name} {'is not set' if text is None else f'is {text!r}: it must be a number'}")
    return int(text)
