"""Supervisor's configuration: one program per part, started only when asked, restarted when it dies.

Invariant: no path of the machine stands in it, since a `%`, `#`, `;` or quote there has a meaning of its own.
Supervisor runs in the instance's folder, and what a part runs is a shell script, which can quote anything.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from typing import Final

from stack.context import Context
from stack.layout import is_root, private_write
from stack.part import Part

USERNAME = "stack"
MARK = "SAMPAN_STACK_HOME"  # in the environment of everything started here: how orphans are found
LOG_BYTES_MAX = "20MB"
RESTARTS_MAX = 1000
CONFIGURATION: Final = "conf/supervisord.conf"  # below the instance's folder


def write_configuration(context: Context, parts: Sequence[Part]) -> None:
    for part in parts:
        private_write(context.layout.home / script_path(part), script(part))
    private_write(context.layout.home / CONFIGURATION, render(context, parts))


def script_path(part: Part) -> str:
    return f"conf/{part.name}.sh"


def script(part: Part) -> str:
    """What supervisor runs for a part. It execs, so the process id is the command's own."""
    lines = ["set -eu", f"cd {shlex.quote(str(part.directory))}"]
    if part.env_file is not None:
        lines += ["set -a", f". {shlex.quote(str(part.env_file))}", "set +a"]
    return "\n".join([*lines, f"exec {shlex.join(part.command)}", ""])


def render(context: Context, parts: Sequence[Part]) -> str:
    password = context.passwords["supervisor"]
    sections = [
        _section(
            "supervisord",
            logfile="logs/supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups=1,
            loglevel="info",
            pidfile="run/supervisord.pid",
            childlogdir="logs",
            identifier=f"sampan-{context.layout.instance}",
            umask="022",
            **({"user": "root"} if is_root() else {}),
        ),
        _section(
            "inet_http_server",
            port=f"127.0.0.1:{context.ports['supervisor']}",
            username=USERNAME,
            password=password,
        ),
        _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        *(_program(part) for part in parts),
    ]
    return "\n".join(sections)


def clean_environment(context: Context) -> dict[str, str]:
    """What parts inherit: nothing of the terminal's but the way to find programs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "TMPDIR", "JAVA_HOME") if name in os.environ}
    return {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1", **kept, MARK: str(context.layout.home)}


def tool_environment(context: Context) -> dict[str, str]:
    """What a command that ends by itself gets: as parts do, but it is no part that could be left behind."""
    return {name: value for name, value in clean_environment(context).items() if name != MARK}


def _program(part: Part) -> str:
    return _section(
        f"program:{part.name}",
        command=f"/bin/sh {script_path(part)}",
        # Nobody reads it: another script is another program, which supervisor must be made to start anew.
        environment=f"SAMPAN_PART_SCRIPT={hashlib.sha256(script(part).encode()).hexdigest()}",
        autostart="false",
        autorestart="true",
        startsecs=1,
        startretries=RESTARTS_MAX,
        stopsignal=part.stop_signal,
        stopwaitsecs=part.stop_timeout_s,
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=f"logs/{part.name}.log",
        stdout_logfile_maxbytes=LOG_BYTES_MAX,
        stdout_logfile_backups=1,
    )


def _section(title: str, **values: object) -> str:
    lines = [f"{key}={value}" for key, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])
