"""What is rendered survives the reader: supervisor's parser, the shell, and a checkout at an awkward path."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from registry import load_services
from stack.context import Context, make_context
from stack.environment import service_env_file, service_environment, write_environments
from stack.layout import Layout
from stack.part import Part
from stack.places import process_places
from stack.ports import wanted_ports
from stack.supervision import CONFIGURATION, script_path, write_configuration

CHECKOUT = Path(__file__).resolve().parents[3]
AWKWARD = (
    "plain",
    "a b",
    "50%",
    "%(here)s",
    "c'd",
    'e"f',
    "g ;h",
    "i #j",
    "k\\l",
    "กาน้ำชา",
    "café",
    "m,n",
    "o$HOME`p`",
)


@pytest.fixture(params=AWKWARD)
def context(tmp_path: Path, request: pytest.FixtureRequest) -> Context:
    awkward = tmp_path / request.param
    layout = Layout(checkout=awkward, instance="demo")
    layout.make_directories()
    ports = wanted_ports(Layout(checkout=CHECKOUT, instance="demo"), {})
    payment = next(service for service in load_services(CHECKOUT) if service.name == "payment")
    return replace(make_context(layout, ports), services=(payment,))


def part(context: Context, *command: str, env_file: Path | None = None) -> Part:
    return Part(
        name="payment",
        kind="app",
        command=command,
        directory=context.layout.data,
        env_file=env_file,
        ports=("payment",),
        ready=lambda: True,
    )


def run_script(context: Context) -> str:
    """What the part's script prints when supervisor runs it: in the instance's folder, with nothing in the environment."""
    return subprocess.run(
        ["/bin/sh", script_path(part(context))],
        cwd=context.layout.home,
        env={},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_supervisor_reads_what_was_meant(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    write_configuration(context, [part(context, "/bin/true")])
    monkeypatch.chdir(context.layout.home)
    options = ServerOptions()
    options.realize(["-c", CONFIGURATION])
    home = os.path.realpath(context.layout.home)
    assert options.logfile == f"{home}/logs/supervisord.log"
    [group] = options.process_group_configs
    [program] = group.process_configs
    assert (program.command, program.directory) == (f"/bin/sh {script_path(part(context))}", None)
    assert program.stdout_logfile == "logs/payment.log"
    assert program.autorestart
    [server] = options.server_configs
    assert server["host"] == "127.0.0.1"


def test_another_command_is_another_program(context: Context) -> None:
    """Supervisor starts anew only what its configuration says differently."""
    write_configuration(context, [part(context, "/bin/true")])
    before = (context.layout.home / CONFIGURATION).read_text()
    write_configuration(context, [part(context, "/bin/false")])
    assert (context.layout.home / CONFIGURATION).read_text() != before


def test_a_command_gets_its_words_and_its_folder(context: Context) -> None:
    said = "import os, sys; print(os.getcwd(), sys.argv[1], sep='\\n')"
    write_configuration(context, [part(context, sys.executable, "-X", "utf8", "-c", said, str(context.layout.data))])
    assert run_script(context).splitlines() == [os.path.realpath(context.layout.data), str(context.layout.data)]


def test_the_shell_reads_what_was_meant(context: Context) -> None:
    write_environments(context)
    write_configuration(context, [part(context, "env", "-0", env_file=service_env_file(context, "payment"))])
    read = dict(entry.split("=", 1) for entry in run_script(context).split("\0") if entry)
    expected = service_environment(context.services[0], process_places(context))
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
