"""What every part is rendered from: the layout, the ports, the passwords and the services of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from registry import Service, load_services, processes
from stack.layout import Layout
from stack.passwords import Passwords
from stack.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything known before anything is started."""

    layout: Layout
    ports: Ports
    passwords: Passwords
    services: tuple[Service, ...]


def find_services(checkout: Path) -> tuple[Service, ...]:
    """The services of the tree that are processes of ours, in the order of their names; Envoy is the gateway's."""
    return processes(load_services(checkout))


def make_context(layout: Layout, ports: Ports) -> Context:
    return Context(
        layout=layout,
        ports=ports,
        passwords=Passwords(layout.secrets),
        services=find_services(layout.checkout),
    )
