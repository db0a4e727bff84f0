"""The glue between chassis and eventing that every service needs: what it stands on, what its roles run, and what
operators can do.

It knows no service: each gives its ``App`` and, where it consumes, its table of handlers.
"""

from operations.audits import audit_connection, audit_job
from operations.batches import alone, in_halves
from operations.commands import audit_command, operator_commands
from operations.connections import kafka_config
from operations.parts import Parts, open_parts
from operations.routes import operator_routes
from operations.runners import background, checks, consumers, housekeeping, relays
from operations.service import make_service
from operations.unreadable import UnreadableNotes
from operations.web import make_service_app

__all__ = [
    "Parts",
    "UnreadableNotes",
    "alone",
    "audit_command",
    "audit_connection",
    "audit_job",
    "background",
    "checks",
    "consumers",
    "housekeeping",
    "in_halves",
    "kafka_config",
    "make_service",
    "make_service_app",
    "open_parts",
    "operator_commands",
    "operator_routes",
    "relays",
]
