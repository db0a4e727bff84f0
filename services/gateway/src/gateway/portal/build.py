"""Building the portal: pages, viewer and documents into one folder, ready to be answered as they are.

Sources: ``services/gateway/openapi.json`` (merged), ``docs/events/catalogue.json`` and the gateway's own problems.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.errors import GatewayError
from gateway.portal.assets import copy_viewer
from gateway.portal.codes import error_codes

HERE = Path(__file__).parent


class SourceMissingError(GatewayError):
    """A document that the portal shows has not been made."""


def build_portal(folder: Path) -> None:
    """Make ``folder`` hold the portal and nothing else. Raises ``SourceMissingError``."""
    openapi, catalogue = read_openapi(), _read("docs/events/catalogue.json", "python -m contracts catalogue")
    codes = error_codes(openapi)
    pages = Environment(
        loader=PackageLoader("gateway.portal"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    pages.filters["pretty"] = lambda value: json.dumps(value, ensure_ascii=False, indent=2)
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    assets = unfinished / "assets"
    copy_viewer(assets)
    for name in ("portal.css", "viewer.js"):
        shutil.copyfile(HERE / "static" / name, assets / name)
    _write(unfinished / "openapi.json", json.dumps(openapi, ensure_ascii=False))
    _write(unfinished / "events.json", json.dumps(catalogue, ensure_ascii=False))
    shutil.copyfile(checkout() / "services/messaging/asyncapi.yaml", unfinished / "asyncapi.txt")
    shown: Mapping[str, Any] = {"openapi": openapi, "catalogue": catalogue, "codes": codes}
    for page in ("index.html", "api.html", "events/index.html", "problems/index.html"):
        _write(unfinished / page, pages.get_template(page).render(shown))
    for record in catalogue["records"]:
        text = pages.get_template("event.html").render(record=record)
        _write(unfinished / "events" / f"{record['name']}.html", text)
    for code in codes:
        _write(unfinished / "problems" / f"{code.code}.html", pages.get_template("problem.html").render(problem=code))
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def read_openapi() -> dict[str, Any]:
    """The merged OpenAPI document as committed."""
    return _read("services/gateway/openapi.json", "python -m gateway openapi")


def checkout() -> Path:
    """The folder that holds ``services`` and ``docs``: above this file, or the working directory's."""
    for folder in [*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents]:
        if (folder / "services" / "gateway").is_dir() and (folder / "docs").is_dir():
            return folder
    raise SourceMissingError("no checkout above this package or the working directory")


def _read(relative: str, made_by: str) -> dict[str, Any]:
    path = checkout() / relative
    if not path.exists():
        raise SourceMissingError(f"{relative} is missing: {made_by} makes it")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
