"""The tables of services, and for operators what each one's Secret holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from registry import Service, processes


def parts(services: Sequence[Service]) -> Mapping[str, str]:
    ours = processes(services)
    return {
        "services": _table(("service", "what it does", "port", "operators' port", "roles"), map(_service, services)),
        "topics": _table(("service", "owns", "reads", "writes"), map(_topics, ours)),
        "secrets": _table(("service", "secrets of its own"), map(_secrets, ours)),
    }


def front_page_parts(services: Sequence[Service]) -> Mapping[str, str]:
    """Of the README at the top."""
    rows = ((f"[{service.name}](services/{service.name}/README.md)", service.about) for service in services)
    return {"services": _table(("service", "what it does"), rows)}


def _service(service: Service) -> Sequence[str]:
    link = f"[{service.name}](../services/{service.name}/README.md)"
    ports = [str(number) for number in service.ports.values()]
    return (link, service.about, *ports, ", ".join(service.roles) or "one process")


def _topics(service: Service) -> Sequence[str]:
    own = [topic.name for topic in service.topics.own]
    return (service.name, _listed(own), _listed(service.topics.reads), _listed(service.topics.writes))


def _secrets(service: Service) -> Sequence[str]:
    return (service.name, _listed(f"{service.name.upper()}_{name}" for name in ("CURSOR_SECRET", *service.secrets)))


def _listed(names: Iterable[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names) or "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
