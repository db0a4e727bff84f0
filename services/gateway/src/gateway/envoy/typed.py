"""Small shapes that Envoy's configuration repeats."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def typed(name: str, type_name: str, **config: Any) -> Json:
    """A named extension with its typed configuration; ``type_name`` is without the ``envoy.`` prefix."""
    return {"name": name, "typed_config": any_of(type_name, **config)}


def any_of(type_name: str, **config: Any) -> Json:
    return {"@type": f"type.googleapis.com/envoy.{type_name}", **config}


def seconds(value: float) -> str:
    return f"{value:g}s"


def address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def header(name: str, value: str) -> Json:
    """A response header that replaces whatever was there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
