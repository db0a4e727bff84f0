"""What one run asks of a server, and what came of it: both cross a process boundary."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``credentials``: one for each member who is online. ``rate_per_s`` 0: a closed loop of ``in_flight`` a writer."""

    kind: str  # "frames": sends on the socket; "http": POST; "matrix": Synapse
    port: int
    room_id: str
    credentials: tuple[str, ...]
    writer_credentials: tuple[str, ...] = ()  # of "http"; the members themselves when empty
    writer_port: int = 0  # where POSTs go; ``port`` when 0
    writers: int = 0  # how many of the members write; all when 0
    rate_per_s: float = 0.0
    in_flight: int = 8
    warm_s: float = 1.0
    seconds: float = 5.0
    text_chars: int = 80
    resume_from: int | None = None  # the seq members go on from; for channels too big to be watched unless asked for
    stalled_credentials: tuple[str, ...] = ()  # of members, besides, who read nothing after they are in


@dataclass(slots=True, kw_only=True)
class Outcome:
    """``stored`` and ``deliveries``: within the measured time. Latencies: of the messages (due to be) sent within it,

    until the acknowledgement, and until the last member had read it. ``lost`` and ``doubled``: of the whole run.
    """

    members: int
    seconds: float
    sent: int = 0
    stored: int = 0
    deliveries: int = 0
    refused: int = 0
    lost: int = 0
    doubled: int = 0
    sent_away: int = 0  # stalled members that the server had closed by the end
    driver_cpu_s: float = 0.0
    ack_ms: list[float] = field(default_factory=list)
    last_ms: list[float] = field(default_factory=list)

    @property
    def stored_per_s(self) -> float:
        return self.stored / self.seconds

    @property
    def deliveries_per_s(self) -> float:
        return self.deliveries / self.seconds


def percentile(values: list[float], share: float) -> float:
    """NaN without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
