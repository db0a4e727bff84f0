"""Where things of one instance lie. Invariant: every path written to is below `.local/` of the checkout."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.failure import StackError

CHECKOUT = Path(__file__).resolve().parents[3]
INSTANCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The directories of one instance of the stack in one checkout."""

    checkout: Path
    instance: str

    @property
    def home(self) -> Path:
        return self.checkout / ".local" / self.instance

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def conf(self) -> Path:
        return self.home / "conf"

    @property
    def env(self) -> Path:
        return self.home / "env"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def kafka_jars(self) -> Path:
        return self.checkout / ".local" / "kafka"

    @property
    def python(self) -> Path:
        return self.checkout / ".venv" / "bin" / "python"

    def make_directories(self) -> None:
        for path in (self.home, self.data, self.conf, self.env, self.logs, self.secrets, self.run):
            path.mkdir(parents=True, exist_ok=True)
        for private in (self.env, self.secrets, self.conf):
            private.chmod(0o700)


def current_layout() -> Layout:
    """The instance named by SAMPAN_INSTANCE; `demo` when none is."""
    instance = os.environ.get("SAMPAN_INSTANCE") or "demo"
    if not INSTANCE_NAME.fullmatch(instance) or instance in {"kafka", "bootstrap", "bin", "cache", "documents", "logs"}:
        message = f"SAMPAN_INSTANCE is {instance!r}; it must be a short lower-case word, such as demo or test."
        raise StackError(message)
    return Layout(checkout=CHECKOUT, instance=instance)


def private_write(path: Path, text: str) -> None:
    """Write a file only its owner may read; replaced whole, so that a reader never sees half of it."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0
