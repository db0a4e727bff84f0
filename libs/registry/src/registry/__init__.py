"""What each service says of itself in ``services/<name>/service.toml``, read strictly.

Everything around a service is made from these files or reads them: ports, containers, topics and their access lists,
routes, scrapes, linters' lists. It knows no service by name, and needs nothing but Python.
"""

from registry.reading import RegistryError, find_checkout, load_services, processes, read_service
from registry.service import OwnTopic, RedisRights, RouteList, Service, Topics

__all__ = [
    "OwnTopic",
    "RedisRights",
    "RegistryError",
    "RouteList",
    "Service",
    "Topics",
    "find_checkout",
    "load_services",
    "processes",
    "read_service",
]
