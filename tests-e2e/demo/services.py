"""Which services the checkout has, by its registry."""

from __future__ import annotations

from typing import Final

from demo.facts import CHECKOUT
from registry import load_services, processes

SERVICES: Final = tuple(service.name for service in processes(load_services(CHECKOUT)))
