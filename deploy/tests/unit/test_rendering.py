"""What is rendered survives the reader: supervisor's parser, the shell, and a checkout at an awkward path."""

from __future__ import annotations

import configparser
import shlex
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stack.context import Context, Service, make_context
from stack.environment import service_env_file, service_environment, write_environments
from stack.layout import Layout
from stack.part import Part
from stack.ports import wanted_ports
from stack.supervision import render

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    awkward = tmp_path / "a b%c'd"
    layout = Layout(checkout=awkward, instance="demo")
    layout.make_directories()
    ports = wanted_ports(Layout(checkout=CHECKOUT, instance="demo"), {})
    return replace(make_context(layout, ports), services=(Service(name="payment", root=awkward),))


def test_a_command_comes_back_as_it_was(context: Context) -> None:
    part = Part(
        name="redis",
        kind="infra",
        command=("/bin/redis", "--dir", str(context.layout.data)),
        directory=context.layout.data,
        ports=("redis",),
        ready=lambda: True,
    )
    parsed = configparser.RawConfigParser(interpolation=None)
    parsed.read_string(render(context, [part]))
    assert tuple(shlex.split(parsed["program:redis"]["command"].replace("%%", "%"))) == part.command
    assert parsed["program:redis"]["autorestart"] == "true"
    assert parsed["inet_http_server"]["port"].startswith("127.0.0.1:")


def test_the_shell_reads_what_was_meant(context: Context) -> None:
    write_environments(context)
    path = service_env_file(context, "payment")
    shown = subprocess.run(
        ["/bin/sh", CHECKOUT / "deploy" / "local" / "with-env.sh", path, "env", "-0"],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    read = dict(entry.split("=", 1) for entry in shown.stdout.split("\0") if entry)
    expected = service_environment(context, context.services[0])
    assert {name: read[name] for name in expected} == expected


def test_secrets_are_for_their_owner_only(context: Context) -> None:
    write_environments(context)
    path = service_env_file(context, "payment")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_passwords_are_made_once_and_differ(context: Context) -> None:
    first = context.passwords["postgres-payment"]
    assert context.passwords["postgres-payment"] == first
    assert context.passwords["postgres-auth"] != first
