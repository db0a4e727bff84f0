"""A service as processes: ``python -m <service> http|consume|relay|jobs|migrate|all|openapi|…``."""

from chassis.run.cli import main
from chassis.run.runners import Periodic, Runner, Supervised, running
from chassis.run.service import Command, Service

__all__ = ["Command", "Periodic", "Runner", "Service", "Supervised", "main", "running"]
