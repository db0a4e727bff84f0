"""The list of parts, from the tree as it is: a part that does not exist yet is not started."""

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
    """Every part that can run, infrastructure first."""
    checkout = context.layout.checkout
    parts = [postgres(context), redis(context), kafka(context)]
    if (checkout / "libs" / "sandbox" / "src" / "sandbox" / "__main__.py").exists():
        parts.append(sandbox(context))
    parts += [service_part(context, service) for service in context.services if service.runnable]
    if (checkout / "services" / "gateway" / "src" / "gateway" / "__main__.py").exists():
        parts.append(gateway(context))
    return parts
