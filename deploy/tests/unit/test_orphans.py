"""Only processes with the mark of exactly this instance are ended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import orphans
from stack.layout import Layout
from stack.supervision import MARK


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(checkout=tmp_path, instance="demo")
    made.make_directories()
    return made


@pytest.fixture
def sleepers(layout: Layout) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    def sleeper(mark: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "60"], env={MARK: mark}, cwd=layout.data)

    ours, theirs = sleeper(str(layout.home)), sleeper(f"{layout.home}-other")
    yield ours, theirs
    for process in (ours, theirs):
        process.kill()
        process.wait()


def test_ours_ends_and_others_stay(
    layout: Layout, sleepers: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
) -> None:
    ours, theirs = sleepers
    assert orphans.orphans(layout) == {ours.pid: "sleep"}
    assert orphans.end(layout) == {ours.pid: "sleep"}
    assert ours.wait(timeout=5) == -15
    assert theirs.poll() is None
