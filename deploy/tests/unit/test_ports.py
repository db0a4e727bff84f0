from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from stack.failure import StackError
from stack.layout import Layout
from stack.ports import INSTANCE_OFFSETS, Ports, is_free, keep_ports, kept_ports, owner_of, require_free, wanted_ports

CHECKOUT = Path(__file__).resolve().parents[3]


def layout(instance: str) -> Layout:
    return Layout(checkout=CHECKOUT, instance=instance)


def test_instances_do_not_share_a_port() -> None:
    demo, beside, test = (wanted_ports(layout(name), {}) for name in INSTANCE_OFFSETS)
    everybodys = [port for each in (demo, beside, test) for port in each.by_name.values()]
    assert len(everybodys) == len(set(everybodys))
    assert test["postgres"] == demo["postgres"] + 1000


def test_the_environment_moves_one_port_or_all() -> None:
    moved = wanted_ports(layout("demo"), {"SAMPAN_PORT_REDIS": "6390", "SAMPAN_PORT_OFFSET": "3000"})
    assert moved["redis"] == 6390
    assert moved["postgres"] == wanted_ports(layout("demo"), {})["postgres"] + 3000


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"SAMPAN_PORT_REDIS": "six"}, "SAMPAN_PORT_REDIS"),
        ({"SAMPAN_PORT_REDIS": "80"}, "SAMPAN_PORT_REDIS"),
        ({"SAMPAN_PORT_REDIS": "18432"}, "SAMPAN_PORT_POSTGRES"),
        ({"SAMPAN_PORT_OFFSET": "many"}, "SAMPAN_PORT_OFFSET"),
        ({"SAMPAN_PORT_OFFSET": "60000"}, "must be between"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], word: str) -> None:
    with pytest.raises(StackError, match=word):
        wanted_ports(layout("demo"), environ)


def test_another_instance_needs_an_offset() -> None:
    with pytest.raises(StackError, match="SAMPAN_PORT_OFFSET"):
        wanted_ports(layout("mine"), {})


def test_an_unknown_port_names_its_variable() -> None:
    with pytest.raises(StackError, match="SAMPAN_PORT_NOBODY"):
        wanted_ports(layout("demo"), {})["nobody"]


def only_registry(folder: str, names: list[str]) -> list[str]:
    """All but each service's own description."""
    return [] if Path(folder).name == "services" else [name for name in names if name != "service.toml"]


def test_kept_ports_are_read_back(tmp_path: Path) -> None:
    place = Layout(checkout=tmp_path, instance="demo")
    assert kept_ports(place) is None
    place.make_directories()
    files = tmp_path / "deploy" / "local"
    files.mkdir(parents=True)
    (files / "ports.env").write_bytes((CHECKOUT / "deploy" / "local" / "ports.env").read_bytes())
    shutil.copytree(CHECKOUT / "services", tmp_path / "services", ignore=only_registry)
    ports = wanted_ports(layout("demo"), {})
    keep_ports(place, ports)
    assert kept_ports(place) == ports
    # A part that is newer than the running instance stands beside the others.
    (files / "ports.env").write_text((files / "ports.env").read_text() + "SAMPAN_PORT_NEWER=18999\n")
    found = kept_ports(place)
    assert found is not None
    assert found["newer"] == 18999


def test_a_taken_port_is_named_with_its_owner() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not is_free(port)
        assert str(os.getpid()) in (owner_of(port) or "")
        with pytest.raises(StackError, match=rf"{port} \(redis\) is in use by .*pid {os.getpid()}"):
            require_free(Ports({"redis": port}), ["redis"])
    require_free(Ports({"redis": port}), ["redis"])
