"""Supervisor's configuration: one program per part, started only when asked, restarted when it dies."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from stack.context import Context
from stack.layout import is_root, private_write
from stack.part import Part

USERNAME = "stack"
MARK = "SAMPAN_STACK_HOME"  # in the environment of everything started here: how orphans are found
LOG_BYTES_MAX = "20MB"
RESTARTS_MAX = 1000


def configuration_path(context: Context) -> Path:
    return context.layout.conf / "supervisord.conf"


def write_configuration(context: Context, parts: Sequence[Part]) -> None:
    private_write(configuration_path(context), render(context, parts))


def render(context: Context, parts: Sequence[Part]) -> str:
    password = context.passwords["supervisor"]
    run, logs = context.layout.run, context.layout.logs
    sections = [
        _section(
            "supervisord",
            logfile=logs / "supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups=1,
            loglevel="info",
            pidfile=run / "supervisord.pid",
            childlogdir=logs,
            identifier=f"sampan-{context.layout.instance}",
            directory=context.layout.home,
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
        *(_program(context, part) for part in parts),
    ]
    return "\n".join(sections)


def clean_environment(context: Context) -> dict[str, str]:
    """What parts inherit: nothing of the terminal's but the way to find programs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "TMPDIR", "JAVA_HOME") if name in os.environ}
    return {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1", **kept, MARK: str(context.layout.home)}


def _program(context: Context, part: Part) -> str:
    command = part.command
    if part.env_file is not None:
        command = ("/bin/sh", str(context.layout.with_env), str(part.env_file), *command)
    return _section(
        f"program:{part.name}",
        command=shlex.join(command),
        directory=part.directory,
        autostart="false",
        autorestart="true",
        startsecs=1,
        startretries=RESTARTS_MAX,
        stopsignal=part.stop_signal,
        stopwaitsecs=part.stop_timeout_s,
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=context.layout.logs / f"{part.name}.log",
        stdout_logfile_maxbytes=LOG_BYTES_MAX,
        stdout_logfile_backups=1,
    )


def _section(title: str, **values: object) -> str:
    lines = [f"{key}={str(value).replace('%', '%%')}" for key, value in values.items()]
    return "\n".join([f"[{title}]", *lines, ""])
