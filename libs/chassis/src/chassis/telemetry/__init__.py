"""What a running process tells: logs with masking, Prometheus metrics, OpenTelemetry traces."""

from chassis.telemetry.logs import configure_logging
from chassis.telemetry.tracing import configure_tracing

__all__ = ["configure_logging", "configure_tracing"]
