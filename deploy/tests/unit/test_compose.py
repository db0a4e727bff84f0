"""docker-compose.yml and the Dockerfile keep what they promise: pinned, healthy, not root, and nothing left unset."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.containers import compose_environment
from stack.context import make_context
from stack.environment import service_environment
from stack.layout import Layout
from stack.places import process_places
from stack.ports import wanted_ports

CHECKOUT = Path(__file__).resolve().parents[3]
COMPOSE = CHECKOUT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
ONE_SHOT = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
DOCKERFILE = (CHECKOUT / "deploy" / "Dockerfile").read_text()


@pytest.fixture
def context(tmp_path: Path) -> Any:
    layout = Layout(checkout=CHECKOUT, instance="demo")
    made = make_context(Layout(checkout=tmp_path, instance="demo"), wanted_ports(layout, {}))
    made.layout.make_directories()
    return replace(made, services=make_context(layout, made.ports).services)


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOT))
def test_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"].get("test")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_does_not_run_as_root(name: str) -> None:
    uid = str(SERVICES[name]["user"]).split(":")[0]
    assert uid.isdigit()
    assert uid != "0"
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[\w./-]+:(?!latest\b)[\w.-]+", image)
    assert image.endswith(":local") == ("build" in SERVICES[name])


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_somebody_waits_for_what_runs_once(name: str) -> None:
    conditions = [s.get("depends_on", {}).get(name, {}).get("condition") for s in SERVICES.values()]
    assert "service_completed_successfully" in conditions


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_open_on_loopback_only(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_every_variable_is_given(context: Any) -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    given = {line.partition("=")[0] for line in compose_environment(context).splitlines()}
    assert used - given == set()


def test_every_service_of_the_tree_is_there(context: Any) -> None:
    for service in context.services:
        assert service.name in SERVICES
        assert f"migrate-{service.name}" in SERVICES


def test_every_service_gets_what_it_gets_without_docker(context: Any) -> None:
    for service in context.services:
        alone = service_environment(service, process_places(context)).keys()
        assert alone <= SERVICES[service.name]["environment"].keys()


def test_dockerfile_is_pinned_and_not_root() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.fullmatch(r"[\w./-]+:(?!latest\b)[\w.-]+", image) for image in images)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
    assert re.search(r'^HEALTHCHECK .*CMD \["', DOCKERFILE, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["', DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("service", ["auth", "gateway", "messaging", "sandbox", "contracts"])
def test_members_of_an_image_exist(service: str) -> None:
    script = CHECKOUT / "deploy" / "compose" / "members.py"
    command = [sys.executable, script, service]
    words = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
    files = [word for word in words if word != "-r"]
    assert files
    assert all((CHECKOUT / file).is_file() for file in files)


def test_the_gateways_image_holds_what_its_portal_is_made_of(tmp_path: Path) -> None:
    image, ignored = tmp_path / "image", shutil.ignore_patterns("tests", "__pycache__")
    app = image / "app"
    shutil.copytree(CHECKOUT / "services" / "gateway", app / "services" / "gateway", ignore=ignored)
    for file in CHECKOUT.glob("services/*/service.toml"):
        (app / "services" / file.parent.name).mkdir(exist_ok=True)
        shutil.copyfile(file, app / "services" / file.parent.name / file.name)
    last_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    for words in re.findall(r"^COPY (?!--)(.+)$", last_stage, re.MULTILINE):
        *sources, target = words.split()
        place = image / target[1:] if target.startswith("/") else app / target
        for source in sources:
            if (CHECKOUT / source).is_dir():
                shutil.copytree(CHECKOUT / source, place, ignore=ignored, dirs_exist_ok=True)
            else:
                into = place / Path(source).name if target.endswith("/") else place
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(CHECKOUT / source, into)
    program = (
        "import pathlib, sys; from gateway.portal.build import build_portal; from gateway.table import load_table;"
        "assert load_table().services; build_portal(pathlib.Path(sys.argv[1]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "portal"],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(app / "services" / "gateway" / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    written = (tmp_path / "portal" / "asyncapi.txt").read_bytes()
    assert written == (CHECKOUT / "services" / "messaging" / "asyncapi.yaml").read_bytes()


def test_compose_itself_accepts_the_file(context: Any, tmp_path: Path) -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no docker compose here")
    variables = tmp_path / "compose.env"
    variables.write_text(compose_environment(context))
    command = ["docker", "compose", "-f", COMPOSE, "--env-file", variables, "config", "--quiet"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
