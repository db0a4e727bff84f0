"""From settings, route table and portal to one file that Envoy reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.chat.files import chat_files
from gateway.envoy.bootstrap import envoy_configuration
from gateway.envoy.process import validate
from gateway.portal.build import build_portal
from gateway.portal.files import portal_files
from gateway.settings import PREFIX, Settings, load_settings, load_upstreams
from gateway.table import RouteTable


def render(out: Path, table: RouteTable, settings: Settings, environ: Mapping[str, str]) -> None:
    """Write the configuration and, beside it (or in ``portal_dir``), the portal's files."""
    upstreams = load_upstreams(table.services, environ)
    folder = settings.portal_dir or out.parent / "portal"
    build_portal(folder)
    configuration = envoy_configuration(settings, table, upstreams, [*portal_files(folder), *chat_files()])
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.new")
    unfinished.write_text(_text(configuration, out.suffix), encoding="utf-8")
    unfinished.replace(out)


def validate_example(table: RouteTable) -> None:
    """Render with every optional part off, then on, and let Envoy judge. Needs no setting and opens no port."""
    services = {
        f"{PREFIX}{name.upper()}_{kind}": str(port)
        for name in table.services
        for kind, port in (("PORT", 18101), ("OPS_PORT", 18201))
    }
    bare = Settings(port=8080, admin_port=8001)
    full = Settings(
        port=8080,
        admin_port=8001,
        trusted_hops=1,
        cors_origins=("https://app.example.com",),
        otlp_endpoint="https://collector:4318",
    )
    for settings in (bare, full):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "envoy.json"
            render(path, table, settings, services)
            validate(path)


def render_from_environment(out: Path, table: RouteTable) -> None:
    """``render`` with the process's own environment. Raises ``SettingError``."""
    render(out, table, load_settings(), os.environ)


def _text(configuration: dict[str, Any], suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(configuration, indent=1) + "\n"
    return yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True, width=120)
