from __future__ import annotations

from pathlib import Path

import pytest

from stack.migrations import file_heads


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_the_head_is_what_nobody_builds_on(tmp_path: Path) -> None:
    write(tmp_path, "a", 'revision = "0001"\ndown_revision = None\n')
    write(tmp_path, "b", 'revision: str = "0002"\ndown_revision: str | None = "0001"\n')
    assert file_heads(tmp_path) == {"0002"}


def test_a_merge_builds_on_both(tmp_path: Path) -> None:
    write(tmp_path, "a", 'revision = "1"\ndown_revision = None\n')
    write(tmp_path, "b", 'revision = "2a"\ndown_revision = "1"\n')
    write(tmp_path, "c", 'revision = "2b"\ndown_revision = "1"\n')
    assert file_heads(tmp_path) == {"2a", "2b"}
    write(tmp_path, "d", 'revision = "3"\ndown_revision = ("2a", "2b")\n')
    assert file_heads(tmp_path) == {"3"}


@pytest.mark.parametrize("text", ["down_revision = None\n", "revision, down_revision = make()\n"])
def test_a_file_that_does_not_say_leaves_it_to_the_service(tmp_path: Path, text: str) -> None:
    write(tmp_path, "a", 'revision = "1"\ndown_revision = None\n')
    write(tmp_path, "b", text)
    assert file_heads(tmp_path) == set()
