"""What every part is rendered from: the layout, the ports, the passwords and the services found in the tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stack.layout import Layout
from stack.passwords import Passwords
from stack.ports import Ports

NOT_A_PROCESS_OF_OURS = {"gateway"}  # Envoy runs its configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of our services: a folder `services/<name>`. It has a role, a schema and a Kafka user from the start."""

    name: str
    root: Path

    @property
    def runnable(self) -> bool:
        return (self.root / "src" / self.name / "__main__.py").exists()

    @property
    def migrations(self) -> Path:
        return self.root / "migrations" / "versions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything known before anything is started."""

    layout: Layout
    ports: Ports
    passwords: Passwords
    services: tuple[Service, ...]


def find_services(checkout: Path) -> tuple[Service, ...]:
    """The services of the tree, in the order of their names."""
    return tuple(
        Service(name=root.name, root=root)
        for root in sorted((checkout / "services").glob("*"))
        if root.name not in NOT_A_PROCESS_OF_OURS and (root / "pyproject.toml").exists()
    )


def make_context(layout: Layout, ports: Ports) -> Context:
    return Context(
        layout=layout,
        ports=ports,
        passwords=Passwords(layout.secrets),
        services=find_services(layout.checkout),
    )
