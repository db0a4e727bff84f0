"""What may not change once it is published, checked against ``proto-events/baseline.binpb``.

buf watches names, numbers and types. Topic, key, owner and audience live in options, which buf does not compare:
changing one of them moves records away from their readers, so it is compared here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contracts.folders import proto_folder
from contracts.options import descriptor_of, record_options
from contracts.registry import record_types

BASELINE = "baseline.binpb"


class BufMissingError(RuntimeError):
    """buf is not installed: it comes with the development dependencies."""


def write_baseline() -> Path:
    """Declare today's contracts published."""
    path = proto_folder() / BASELINE
    _buf("build", "-o", str(path), "--exclude-source-info")
    return path


def breaking_changes() -> list[str]:
    """Each promise of the baseline that today's sources break; empty when none."""
    result = _buf("breaking", "--against", BASELINE, check=False)
    found = result.stdout.splitlines() + result.stderr.splitlines()
    baseline = FileDescriptorSet.FromString((proto_folder() / BASELINE).read_bytes())
    return found + list(changed_options(baseline))


def changed_options(baseline: FileDescriptorSet) -> Iterator[str]:
    today = record_types()
    for file in baseline.file:
        for message in file.message_type:
            name = f"{file.package}.{message.name}"
            before = record_options(message.options)
            if before is None or name not in today:
                continue  # a deleted message is buf's to report
            now = record_options(descriptor_of(today[name].message).GetOptions())
            for field in ("topic", "key", "owner", "audience"):
                old, new = getattr(before, field), getattr(now, field)
                if old != new:
                    yield f"{file.name}: {name}: {field} was {old!r} and is {new!r}"


def _buf(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    beside_python = Path(sys.executable).parent / "buf"
    executable = str(beside_python) if beside_python.exists() else shutil.which("buf")
    if executable is None:
        raise BufMissingError("buf is not installed; `make sync` installs it")
    return subprocess.run(  # noqa: S603 -- fixed arguments
        [executable, *arguments], cwd=proto_folder(), capture_output=True, text=True, check=check
    )
