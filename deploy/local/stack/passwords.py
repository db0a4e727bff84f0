"""Passwords of one instance: made once at random, kept in `.local/<instance>/secrets/`, one file each."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from stack.layout import private_write


@dataclass(frozen=True, slots=True)
class Passwords:
    """Reads a password by name, and makes it on first use. Letters and digits only: safe in every file format."""

    directory: Path

    def __getitem__(self, name: str) -> str:
        path = self.directory / name
        if not path.exists():
            private_write(path, secrets.token_hex(20))
        return path.read_text(encoding="ascii")

    def key_base64(self, name: str) -> str:
        """A key of 32 random bytes, in base64."""
        path = self.directory / name
        if not path.exists():
            private_write(path, base64.b64encode(secrets.token_bytes(32)).decode())
        return path.read_text(encoding="ascii")
