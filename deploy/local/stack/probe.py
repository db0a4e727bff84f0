"""Questions asked of a part to learn whether it answers. Each returns within `TIMEOUT_S` and never raises."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

TIMEOUT_S = 2.0
POLL_S = 0.05
ALIVE_EVERY_S = 0.25


def wait_until(ready: Callable[[], bool], timeout_s: float, alive: Callable[[], None]) -> bool:
    """Poll `ready` until it says yes or the time is over. `alive`, asked now and then, may raise to end it early."""
    began = asked = time.monotonic()
    while (now := time.monotonic()) - began < timeout_s:
        if ready():
            return True
        if now - asked > ALIVE_EVERY_S:
            asked = now
            alive()
        time.sleep(POLL_S)
    return False


def accepts_tcp(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S).close()
    except OSError:
        return False
    return True


def answers_http(port: int, path: str) -> bool:
    """True on a 2xx answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S) as answer:
            return bool(200 <= answer.status < 300)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def http_text(port: int, path: str) -> str:
    """The body of any answer, 4xx and 5xx too; empty when there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S) as answer:
            return str(answer.read(4096).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        return error.read(4096).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def answers_postgres(bin_dir: Path, port: int) -> bool:
    command = [str(bin_dir / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "2"]
    # Without the terminal's variables: a PGSSLMODE or PGSERVICE there is for another server.
    return subprocess.run(command, env={}, check=False, capture_output=True).returncode == 0


def answers_redis(port: int, user: str, password: str) -> bool:
    return tell_redis(port, user, password, "PING", b"+PONG")


def tell_redis(port: int, user: str, password: str, command: str, expected: bytes) -> bool:
    """Whether the answer to one command has what is expected in it."""
    return _exchange(port, f"AUTH {user} {password}\r\n{command}\r\nQUIT\r\n".encode(), expected)


def answers_kafka(port: int) -> bool:
    """Sends ApiVersions v0, which a broker answers before any login once it processes requests."""
    api_versions, version, correlation_id, no_client_id = 18, 0, 7, -1
    request = b"".join(
        number.to_bytes(size, "big", signed=True)
        for number, size in ((api_versions, 2), (version, 2), (correlation_id, 4), (no_client_id, 2))
    )
    return _exchange(port, len(request).to_bytes(4, "big") + request, correlation_id.to_bytes(4, "big"))


def _exchange(port: int, request: bytes, expected: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
            connection.sendall(request)
            answer = b""
            while expected not in answer:
                chunk = connection.recv(4096)
                if not chunk:
                    return False
                answer += chunk
    except OSError:
        return False
    return True
