"""Running the Protobuf compiler that comes with grpcio-tools: the same on every machine, no download.

Invariant: what is committed under ``src/sampan`` is exactly what this compiler makes of ``proto-events``.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from contracts.folders import generated_folder, proto_folder


class CompilerError(RuntimeError):
    """The compiler refused the sources; the message is its own output."""


def generate() -> None:
    """Replace the committed Python by what the sources give now."""
    with tempfile.TemporaryDirectory() as made:
        _compile(Path(made))
        target = generated_folder() / "sampan"
        for stale in drifted(Path(made)):
            (generated_folder() / stale).unlink(missing_ok=True)
        shutil.copytree(Path(made) / "sampan", target, dirs_exist_ok=True)


def drift() -> list[str]:
    """Generated files that differ from the sources; empty when all is as it should be."""
    with tempfile.TemporaryDirectory() as made:
        _compile(Path(made))
        return drifted(Path(made))


def drifted(made: Path) -> list[str]:
    """Paths, relative to both folders, of files that are missing, left over or different."""
    expected, committed = set(_files(made)), set(_files(generated_folder()))
    same = {path for path in expected & committed if filecmp.cmp(made / path, generated_folder() / path, shallow=False)}
    return sorted((expected | committed) - same)


def descriptors() -> FileDescriptorSet:
    """The sources compiled with their comments."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        _protoc("--include_source_info", f"--descriptor_set_out={image}")
        return FileDescriptorSet.FromString(image.read_bytes())


def _files(root: Path) -> Iterator[str]:
    for path in (root / "sampan").rglob("*_pb2.py*"):
        if path.suffix in {".py", ".pyi"}:
            yield str(path.relative_to(root))


def _compile(folder: Path) -> None:
    _protoc(f"--python_out={folder}", f"--pyi_out={folder}")


def _protoc(*options: str) -> None:
    root = proto_folder()
    sources = sorted(str(path.relative_to(root)) for path in root.rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", *options, *sources]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own sources
    if result.returncode != 0:
        raise CompilerError(result.stderr.strip())
