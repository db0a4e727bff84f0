"""Talks to one instance's supervisor over its loopback port. It alone starts and stops processes."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
import xmlrpc.client
from dataclasses import dataclass
from typing import Any

from stack.context import Context
from stack.failure import PartFailedError, StackError
from stack.supervision import CONFIGURATION, USERNAME, clean_environment

ANSWER_TIMEOUT_S = 10.0
START_TIMEOUT_S = 10.0
UP_STATES = {"RUNNING", "STARTING"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What supervisor says of one part."""

    name: str
    state: str
    pid: int
    started_unix_s: int
    description: str

    @property
    def up(self) -> bool:
        return self.state in UP_STATES


class Control:
    """One connection to supervisor; used by one thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        url = f"http://{USERNAME}:{context.passwords['supervisor']}@127.0.0.1:{context.ports['supervisor']}/RPC2"
        self._rpc: Any = xmlrpc.client.ServerProxy(url, transport=_Transport()).supervisor

    def alive(self) -> bool:
        try:
            identifier = self._rpc.getIdentification()
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False
        return bool(identifier == f"sampan-{self._context.layout.instance}")

    def launch(self) -> None:
        """Start supervisord as a daemon and wait until it answers."""
        python = str(self._context.layout.python)
        command = [python, "-m", "supervisor.supervisord", "-c", CONFIGURATION]
        result = subprocess.run(
            command,
            env=clean_environment(self._context),
            cwd=self._context.layout.home,
            check=False,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
        )
        if result.returncode != 0:
            message = f"supervisord did not start: {result.stderr.strip() or result.stdout.strip()}"
            raise StackError(message)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.alive():
            if time.monotonic() > deadline:
                log = self._context.layout.logs / "supervisord.log"
                raise PartFailedError("supervisord", f"no answer in {START_TIMEOUT_S:.0f} s", log)
            time.sleep(0.02)

    def reread(self) -> set[str]:
        """Take up a changed configuration: changed and removed parts are stopped. Returns the changed ones."""
        added, changed, removed = self._rpc.reloadConfig()[0]
        for name in [*changed, *removed]:
            self.stop(name)
            self._rpc.removeProcessGroup(name)
        for name in [*added, *changed]:
            self._rpc.addProcessGroup(name)
        return {*added, *changed}

    def states(self) -> dict[str, ProcessState]:
        return {info["name"]: _state(info) for info in self._rpc.getAllProcessInfo()}

    def state(self, name: str) -> ProcessState:
        return _state(self._rpc.getProcessInfo(name))

    def start(self, name: str) -> None:
        self._call(self._rpc.startProcess, name)

    def stop(self, name: str) -> None:
        """Stop and wait; supervisor kills it after the part's own stop timeout."""
        self.begin_stop(name)
        while self.state(name).state == "STOPPING":
            time.sleep(0.05)

    def begin_stop(self, name: str) -> None:
        self._call(self._rpc.stopProcess, name)

    def shutdown(self) -> None:
        self._rpc.shutdown()

    @staticmethod
    def _call(method: Any, name: str) -> None:
        """Ask without waiting; that a part is already so is no fault."""
        already = {60, 70}  # ALREADY_STARTED, NOT_RUNNING
        try:
            method(name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in already:
                message = f"supervisor on {name}: {fault.faultString}"
                raise StackError(message) from fault


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = ANSWER_TIMEOUT_S
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _state(info: dict[str, Any]) -> ProcessState:
    return ProcessState(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"],
        started_unix_s=info["start"],
        description=info["description"],
    )
