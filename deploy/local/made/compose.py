"""The services of docker-compose.yml, each with its migration, and what the other parts know of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from registry import Service
from stack.environment import owner_environment, service_environment
from stack.places import Places, container_places

_SET = ":?run make up"


def parts(services: Sequence[Service]) -> Mapping[str, str]:
    places = container_places()
    return {
        "roles": _roles(services, places),
        "redis users": _users("REDIS_USERS", ("admin", "probe"), services, places),
        "kafka users": _users("KAFKA_USERS", ("admin",), services, places),
        "services": "\n".join(_service(service, places) for service in services),
        "upstreams": "".join(map(_upstream, services)),
        "gateway needs": "".join(f"{service.name}: {{condition: service_healthy}}\n" for service in services),
    }


def _roles(services: Sequence[Service], places: Places) -> str:
    def passwords(variable: str) -> str:
        return json.dumps({service.name: places.secret(service, variable) for service in services})

    return (
        f"SAMPAN_ROLES: '{passwords('POSTGRES_PASSWORD')}'\nSAMPAN_OWNERS: '{passwords('OWNER_POSTGRES_PASSWORD')}'\n"
    )


def _users(variable: str, ours: Iterable[str], services: Sequence[Service], places: Places) -> str:
    kind = variable.partition("_")[0]
    own = [f"{name}=${{{kind}_{name.upper()}_PASSWORD{_SET}}}" for name in ours]
    theirs = [f"{service.name}={places.secret(service, f'{kind}_PASSWORD')}" for service in services]
    return f"{variable}: {' '.join([*own, *theirs])}\n"


def _service(service: Service, places: Places) -> str:
    name, variables = service.name, service.name.upper()
    environment = _mapping(service_environment(service, places), indent="    ")
    volumes = "  volumes: [objects:/var/lib/sampan/objects]\n" if "{objects}" in service.settings.values() else ""
    return f"""\
{name}:
  <<: *service
  build: {{<<: *build, args: {{SERVICE: {name}}}}}
  image: sampan/{name}:local
  environment: &{name}-environment
{environment}{volumes}  ports:
    - 127.0.0.1:${{SAMPAN_PORT_{variables}{_SET}}}:8000
    - 127.0.0.1:${{SAMPAN_PORT_{variables}_OPS{_SET}}}:9000
  depends_on:
    <<: *needs
    migrate-{name}: {{condition: service_completed_successfully}}

migrate-{name}:
  <<: *one-shot
  image: sampan/{name}:local
  build: {{<<: *build, args: {{SERVICE: {name}}}}}
  command: [migrate]
  environment:
    <<: *{name}-environment
{_mapping(owner_environment(service, places), indent="    ")}  depends_on:
    schemas: {{condition: service_completed_successfully}}
"""


def _upstream(service: Service) -> str:
    prefix = f"GATEWAY_{service.name.upper()}"
    return f'{prefix}_HOST: {service.name}\n{prefix}_PORT: "8000"\n{prefix}_OPS_PORT: "9000"\n'


def _mapping(values: Mapping[str, str], *, indent: str) -> str:
    return "".join(f"{indent}{key}: {json.dumps(value)}\n" for key, value in values.items())
