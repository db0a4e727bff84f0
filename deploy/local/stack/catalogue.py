"""The list of parts."""

from __future__ import annotations

from collections.abc import Sequence

from stack.context import Context
from stack.part import Part
from stack.parts.gateway import gateway
from stack.parts.kafka import kafka
from stack.parts.postgres import postgres
from stack.parts.redis import redis
from stack.parts.sandbox import sandbox
from stack.parts.service import service_part

INFRA = ("postgres", "redis", "kafka")


def all_parts(context: Context) -> Sequence[Part]:
    """Every part, infrastructure first."""
    infra = (postgres(context), redis(context), kafka(context))
    services = (service_part(context, service) for service in context.services)
    return (*infra, sandbox(context), *services, gateway(context))
