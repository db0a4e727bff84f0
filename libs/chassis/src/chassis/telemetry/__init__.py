"""What a running process tells: logs with masking, Prometheus metrics, OpenTelemetry traces."""

from chassis.telemetry.logs import configure_logging
from chassis.telemetry.masking import MASK, mask
from chassis.telemetry.tracing import configure_tracing

__all__ = ["MASK", "configure_logging", "configure_tracing", "mask"]
