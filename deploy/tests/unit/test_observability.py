"""Rules, dashboard, runbooks and metrics hold together: what is asked for exists, what alerts has a page."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from chassis.telemetry.metrics import requests
from stack.context import find_services
from stack.layout import Layout
from stack.ports import wanted_ports

CHECKOUT = Path(__file__).resolve().parents[3]
RULES = sorted((CHECKOUT / "deploy/prometheus/rules").glob("*.yml"))
CONFIG = CHECKOUT / "deploy/prometheus/prometheus.yml"
DASHBOARDS = sorted((CHECKOUT / "deploy/grafana").glob("*.json"))
RUNBOOKS = CHECKOUT / "docs/runbooks"
PROMETHEUS_OWN = {"up"}
PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}  # prometheus_client's, on Linux

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_LANGUAGE = frozenset(
    """
    and bool count deriv group histogram_quantile increase max min offset or rate sum time topk unless
    """.split()  # noqa: SIM905 -- read as a list of words
)


def alerts() -> list[dict[str, Any]]:
    found = []
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            assert group["name"] == path.stem
            found += group["rules"]
    return found


# Counted by a label that nobody knows before: the kind of an error, a status. Their alerts are about many events.
LABELS_UNKNOWN = {"eventing_consumer_rebuilds_total", "http_server_request_duration_seconds_count"}
# What every service does when it starts, and those that count for themselves; then all that is exported.
STARTED = """
import asyncio
from types import SimpleNamespace
from prometheus_client import generate_latest
import commerce.adapters.metrics
import messaging.core.adapters.unreadable_reads
import notification.adapters.metrics
import orchestrator.adapters.metrics
from chassis.run.runners import Supervised
from payment.wiring import open_providers
from pydantic import SecretStr

async def start():
    secret = SecretStr("a-secret-of-the-sandbox")
    Supervised(SimpleNamespace(name="jobs"))
    settings = SimpleNamespace(
        sandbox_url="http://127.0.0.1:1", sandbox_api_key=secret, sandbox_webhook_secret=secret, provider_timeout_s=1
    )
    async with open_providers(settings):
        print(generate_latest().decode())

asyncio.run(start())
"""


def panels() -> list[dict[str, Any]]:
    return [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def metrics_of(expression: str) -> set[str]:
    """Names of the series an expression reads."""
    text = _GROUPING.sub(" ", _STRINGS.sub("", expression))
    text = re.sub(r"\{[^}]*\}", " ", text)
    text = re.sub(r"\[[^\]]*\]|\b\d+[smhd]\b", " ", text)
    return set(_WORD.findall(text)) - _LANGUAGE


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """Every series name that the libraries and services declare."""
    for source in [*CHECKOUT.glob("libs/*/src/**/*.py"), *CHECKOUT.glob("services/*/src/**/*.py")]:
        if "from prometheus_client import" in source.read_text():
            importlib.import_module(_module_of(source))
    names = set(PROMETHEUS_OWN | PROCESS)
    for family in [*REGISTRY.collect(), *requests.collect()]:
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        names.update(family.name + suffix for suffix in suffixes)
    return names


def _module_of(source: Path) -> str:
    parts = source.with_suffix("").parts
    return ".".join(parts[parts.index("src") + 1 :])


def test_every_alert_asks_for_metrics_that_exist(exported: set[str]) -> None:
    assert len(alerts()) >= 10
    for alert in alerts():
        read = metrics_of(alert["expr"])
        assert read, alert["alert"]
        assert read <= exported, f"{alert['alert']}: {read - exported} is exported by nobody"


def test_every_panel_asks_for_metrics_that_exist(exported: set[str]) -> None:
    assert len(panels()) >= 20
    for panel in panels():
        for target in panel["targets"]:
            read = metrics_of(target["expr"].replace("$__rate_interval", "1m"))
            assert read, panel["title"]
            assert read <= exported, f"{panel['title']}: {read - exported} is exported by nobody"


def test_a_metric_nobody_exports_would_be_found(exported: set[str]) -> None:
    read = metrics_of('sum by (job, le) (rate(made_up_total{job="up"}[5m])) > 0 unless up offset 1h')
    assert read == {"made_up_total", "up"}
    assert read - exported == {"made_up_total"}


def test_a_counter_that_alerts_is_zero_before_its_first_event() -> None:
    """``increase`` of a series that was not there before its first event is 0: that event would be told to nobody."""
    read = {
        name for alert in alerts() for name in re.findall(r"\b(?:increase|rate)\s*\(\s*([a-z_]+)", alert["expr"])
    } - LABELS_UNKNOWN
    assert {"payment_charges_contradicted_total", "messaging_unreadable_total", "runner_restarts_total"} <= read
    started = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True).stdout
    without = "payment_job_item_failures_total"  # a counter of which nobody makes a series before its first event
    missing = {
        name for name in read | {without} if not re.search(rf"^{name}(?:\{{.*\}})? 0\.0$", started, re.MULTILINE)
    }
    assert missing == {without}


def test_alerts_are_whole() -> None:
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names))
    for alert in alerts():
        assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}, alert["alert"]
        assert re.fullmatch(r"\d+[smh]", alert["for"])
        assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"})
        assert set(alert["annotations"]) == {"summary", "runbook"}
        assert alert["expr"].count("(") == alert["expr"].count(")")


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    linked = {alert["annotations"]["runbook"]: alert["alert"] for alert in alerts()}
    index = (RUNBOOKS / "README.md").read_text()
    for path, name in linked.items():
        page = (CHECKOUT / path).read_text()
        assert page.startswith(f"# {name}\n")
        assert "## Look" in page
        assert "## Do" in page
        assert f"[{name}]({Path(path).name})" in index
    assert {path.name for path in RUNBOOKS.glob("*.md")} == {Path(path).name for path in linked} | {"README.md"}


def test_links_between_pages_lead_somewhere() -> None:
    for page in RUNBOOKS.glob("*.md"):
        for target in re.findall(r"\]\(([a-z-]+\.md)\)", page.read_text()):
            assert (RUNBOOKS / target).is_file(), f"{page.name} → {target}"


def test_every_service_is_scraped_where_it_listens() -> None:
    ports = wanted_ports(Layout(checkout=CHECKOUT, instance="demo"), {})
    services = [service.name for service in find_services(CHECKOUT)]
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"]
    }
    expected = {name: [f"127.0.0.1:{ports[f'{name}_ops']}"] for name in services}
    assert jobs == expected | {"gateway": [f"127.0.0.1:{ports['gateway_admin']}"]}


def test_the_dashboards_panels_have_ids_and_places_of_their_own() -> None:
    for path in DASHBOARDS:
        placed = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in placed}) == len(placed)
        cells = [
            (x, y)
            for panel in placed
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_prometheus_takes_rules_and_configuration() -> None:
    for arguments in (["rules", *map(str, RULES)], ["config", str(CONFIG)]):
        checked = subprocess.run(["promtool", "check", *arguments], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
