"""What the linters are told of our packages: where types lie, and who may import whom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from checks.house_plan import load_departures
from registry import Service
from stack.layout import CHECKOUT

# Of a use case's outside: what it needs comes through its ports.
OUTSIDE = ("asyncpg", "aiohttp", "sqlalchemy", "redis", "aiokafka", "pydantic", "sampan", "google")
NOT_OF_A_DOMAIN = ("eventing", "chassis", "contracts", "operations", "outgoing", "structlog")
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
    pending = load_departures().pending
    processes = [service.name for service in services if service.kind == "service"]
    yield _contract("Services never import each other", "independence", modules=names)
    yield _contract("Libraries know no service", "forbidden", source_modules=libraries, forbidden_modules=names)
    yield _contract(
        "Domains are pure: they import nothing but the kernel",
        "forbidden",
        source_modules=[f"{name}.domain" for name in processes],
        forbidden_modules=[*NOT_OF_A_DOMAIN, *OUTSIDE],
    )
    for name in processes:
        if name not in pending:
            yield _contract(f"Layers of {name}", "layers", layers=[f"{name}.{layer}" for layer in LAYERS])
            yield _contract(
                f"Use cases of {name} know their ports and the domain",
                "forbidden",
                source_modules=[f"{name}.usecases"],
                forbidden_modules=OUTSIDE,
                allow_indirect_imports=True,
            )
            yield _contract(
                f"Adapters of {name} know the ports of its use cases",
                "forbidden",
                source_modules=[f"{name}.adapters"],
                forbidden_modules=[f"{name}.usecases"],
                ignore_imports=[f"{name}.adapters.* -> {name}.usecases.ports"],
                unmatched_ignore_imports_alerting="none",
                allow_indirect_imports=True,
            )


def _contract(name: str, kind: str, **values: object) -> str:
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(["[[tool.importlinter.contracts]]", f"name = {json.dumps(name)}", f'type = "{kind}"', *lines, ""])
