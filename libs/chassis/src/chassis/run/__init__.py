"""A service as processes: ``python -m <service> http|consume|relay|jobs|migrate|all|openapi|…``."""

from chassis.run.cli import main
from chassis.run.repeating import Periodic, Repeating
from chassis.run.runners import Runner, Supervised, running
from chassis.run.service import Command, Service

__all__ = ["Command", "Periodic", "Repeating", "Runner", "Service", "Supervised", "main", "running"]
