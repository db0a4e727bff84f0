"""What is damaged is counted at every read and logged once."""

from __future__ import annotations

from prometheus_client import REGISTRY, Counter
from structlog.testing import capture_logs

from operations import unreadable
from operations.unreadable import UnreadableNotes


def test_each_read_is_counted_and_each_thing_is_logged_once(monkeypatch) -> None:
    monkeypatch.setattr(unreadable, "TOLD_MAX", 2)
    notes = UnreadableNotes(Counter("noted_unreadable", "Read", ["what"]), ["row", "field"])

    def counted(what: str) -> float | None:
        return REGISTRY.get_sample_value("noted_unreadable_total", {"what": what})

    assert (counted("row"), counted("field")) == (0, 0)
    with capture_logs() as logs:
        for place in (1, 1, 2, 2):
            notes.note("row", place=place)
    assert counted("row") == 4
    told = [("stored.unreadable", "row", "1"), ("stored.unreadable", "row", "2")]
    assert [(each["event"], each["what"], each["place"]) for each in logs] == told
    with capture_logs() as logs:
        notes.note("field", place=3)  # what was told is forgotten before it grows without an end
        notes.note("row", place=1)
    assert [each["place"] for each in logs] == ["3", "1"]
