"""The ports of one instance: `ports.env` and each service's own, moved by the environment and the instance's offset.

Once an instance runs, its ports are kept in `.local/<instance>/ports.env` until it is stopped, so that `status`
and `down` find it whatever the environment says then.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from registry import load_services
from stack.failure import StackError
from stack.layout import Layout

PREFIX = "SAMPAN_PORT_"
INSTANCE_OFFSETS = {"demo": 0, "beside": 500, "test": 1000}


@dataclass(frozen=True, slots=True)
class Ports:
    """Port numbers by lower-case name, as in `ports.env`: `ports["kafka_controller"]`."""

    by_name: Mapping[str, int]

    def __getitem__(self, name: str) -> int:
        try:
            return self.by_name[name]
        except KeyError:
            message = f"nobody has a port {PREFIX}{name.upper()}: neither deploy/local/ports.env nor a service.toml."
            raise StackError(message) from None

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def render(self) -> str:
        return "".join(f"{PREFIX}{name.upper()}={port}\n" for name, port in self.by_name.items())


def wanted_ports(layout: Layout, environ: Mapping[str, str] = os.environ) -> Ports:
    """What the files and the environment ask for."""
    offset = _offset(layout.instance, environ)
    base = _base(layout)
    ports: dict[str, int] = {}
    for name, port in base.items():
        variable = PREFIX + name.upper()
        ports[name] = _number(variable, environ[variable]) if variable in environ else port + offset
    return _checked(ports)


def kept_ports(layout: Layout) -> Ports | None:
    """The ports of the instance as it was last started, or None. A part that is newer stands beside the others."""
    path = layout.home / "ports.env"
    if not path.exists():
        return None
    kept, base = _read(path), _base(layout)
    moved_by = kept["gateway"] - base["gateway"]
    return Ports({name: port + moved_by for name, port in base.items()} | kept)


def keep_ports(layout: Layout, ports: Ports) -> None:
    (layout.home / "ports.env").write_text(ports.render(), encoding="utf-8")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def owner_of(port: int) -> str | None:
    """The process that listens on a TCP port, as `name (pid 12)`; None when /proc does not tell."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if inodes.intersection(_open_files(process)):
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def require_free(ports: Ports, names: Iterable[str]) -> None:
    """Refuse to start over somebody else's port, and say whose it is."""
    taken = [name for name in names if name in ports and not is_free(ports[name])]
    if not taken:
        return
    lines = [
        f"port {ports[name]} ({name}) is in use by {owner_of(ports[name]) or 'another process'};"
        f" free it, or set {PREFIX}{name.upper()} or SAMPAN_PORT_OFFSET."
        for name in taken
    ]
    raise StackError("\n".join(lines))


def _base(layout: Layout) -> dict[str, int]:
    """As the files of the tree have them."""
    own = [service.named_ports for service in load_services(layout.checkout)]
    ports = _read(layout.checkout / "deploy" / "local" / "ports.env")
    return ports | {name: port for each in own for name, port in each.items()}


def _offset(instance: str, environ: Mapping[str, str]) -> int:
    extra = _number("SAMPAN_PORT_OFFSET", environ.get("SAMPAN_PORT_OFFSET") or "0")
    if instance not in INSTANCE_OFFSETS and not extra:
        message = f"instance {instance} needs SAMPAN_PORT_OFFSET, such as 2000: its ports would be the demo's."
        raise StackError(message)
    return INSTANCE_OFFSETS.get(instance, 0) + extra


def _read(path: Path) -> dict[str, int]:
    ports: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            variable, _, number = line.partition("=")
            ports[variable.strip().removeprefix(PREFIX).lower()] = _number(variable, number)
    return ports


def _number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        message = f"{variable} is {text!r}; it must be a number."
        raise StackError(message) from None


def _checked(ports: dict[str, int]) -> Ports:
    by_port: dict[int, str] = {}
    for name, port in ports.items():
        if not 1024 <= port <= 65535:
            message = f"{PREFIX}{name.upper()} is {port}; it must be between 1024 and 65535."
            raise StackError(message)
        if port in by_port:
            message = f"{PREFIX}{name.upper()} and {PREFIX}{by_port[port].upper()} are both {port}."
            raise StackError(message)
        by_port[port] = name
    return Ports(ports)


def _listening_inodes(port: int) -> Iterator[str]:
    listening = "0A"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == listening and int(columns[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{columns[9]}]"


def _open_files(process: Path) -> Iterator[str]:
    """What a process' descriptors point to; nothing when it is gone or not ours to see."""
    with contextlib.suppress(OSError):
        for descriptor in list((process / "fd").iterdir()):
            with contextlib.suppress(OSError):
                yield str(descriptor.readlink())
