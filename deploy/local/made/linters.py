"""What the linters are told of our packages: where types lie, and who may import whom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from registry import Service, processes
from stack.layout import CHECKOUT

# Of a use case's outside: what it needs comes through its ports.
OUTSIDE = ("asyncpg", "aiohttp", "sqlalchemy", "redis", "aiokafka", "pydantic", "sampan", "google")
# What a domain may import: libraries without I/O, clock or state.
PURE = ("kernel", "words")
LAYERS = ("__main__", "entrypoints", "wiring", "adapters", "usecases", "domain")


def parts(services: Sequence[Service]) -> Mapping[str, str]:
    libraries = sorted(
        folder.name for folder in (CHECKOUT / "libs").iterdir() if (folder / "src" / folder.name).exists()
    )
    names = [service.name for service in services]
    folders = [f"libs/{name}/src" for name in libraries] + [f"services/{name}/src" for name in names]
    return {
        "mypy path": f"mypy_path = {json.dumps(':'.join(f'$MYPY_CONFIG_FILE_DIR/{each}' for each in folders))}",
        "roots": f"root_packages = {json.dumps([*libraries, *names])}",
        "imports": "\n".join(_contracts(services, libraries, names)),
    }


def _contracts(services: Sequence[Service], libraries: Sequence[str], names: Sequence[str]) -> Iterable[str]:
    ours = processes(services)
    yield _contract("Services never import each other", "independence", modules=names)
    yield _contract("Libraries know no service", "forbidden", source_modules=libraries, forbidden_modules=names)
    yield _contract(
        "Domains are pure: they import nothing but the kernel and words",
        "forbidden",
        source_modules=[domain for each in ours for domain in _rooms(each, "domain")],
        forbidden_modules=[*(each for each in libraries if each not in PURE), "structlog", *OUTSIDE],
    )
    for service in ours:
        yield from _contracts_of(service)


def _contracts_of(service: Service) -> Iterable[str]:
    """Layers, and what is none of a use case's and of an adapter's business; of a divided service in every feature."""
    name, adapters, usecases = service.name, _rooms(service, "adapters"), _rooms(service, "usecases")
    if service.features:
        yield from _features(service)
        layers = ["(entrypoints)", "(adapters)", "(usecases)", "(domain)"]
        containers = [f"{name}.{feature}" for feature in service.features]
        yield _contract(f"Layers of every feature of {name}", "layers", layers=layers, containers=containers)
    else:
        yield _contract(f"Layers of {name}", "layers", layers=[f"{name}.{layer}" for layer in LAYERS])
    yield _contract(
        f"Use cases of {name} know their ports and the domain",
        "forbidden",
        source_modules=usecases,
        forbidden_modules=[*OUTSIDE, *(adapters if service.features else ())],
        allow_indirect_imports=True,
    )
    yield _contract(
        f"Adapters of {name} know the ports of its use cases",
        "forbidden",
        source_modules=adapters,
        forbidden_modules=usecases,
        ignore_imports=[f"{_any(service)}.adapters.* -> {_any(service)}.usecases.ports"],
        unmatched_ignore_imports_alerting="none",
        allow_indirect_imports=True,
    )


def _features(service: Service) -> Iterable[str]:
    for feature, known in service.features.items():
        others = [f"{service.name}.{each}" for each in service.features if each not in {feature, *known}]
        yield _contract(
            f"{feature} of {service.name} knows {', '.join(known) or 'no other feature'}",
            "forbidden",
            source_modules=[f"{service.name}.{feature}"],
            forbidden_modules=others,
            allow_indirect_imports=True,
        )


def _rooms(service: Service, room: str) -> list[str]:
    """The modules of one room: one, or one in each feature that has it."""
    if not service.features:
        return [f"{service.name}.{room}"]
    source = service.root / "src" / service.name
    return [f"{service.name}.{feature}.{room}" for feature in service.features if (source / feature / room).is_dir()]


def _any(service: Service) -> str:
    """What the rooms are in: the service, or any of its features."""
    return f"{service.name}.*" if service.features else service.name


def _contract(name: str, kind: str, **values: object) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["[[tool.importlinter.contracts]]", f"name = {json.dumps(name)}", f'type = "{kind}"', *lines, ""])
