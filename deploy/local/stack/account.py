"""As whom Postgres runs. It refuses root; started by root it gets an account of its own.

When the checkout lies below a directory that only root may enter, that account also gets the one capability it
needs to pass through. Invariant: Postgres never holds a capability that it can do without.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.failure import StackError
from stack.layout import is_root


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The words to put before a command, and the owner of its files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int


def postgres_account(directory: Path) -> Account:
    """The least privileged account that can work in `directory` (which exists and is handed over to it)."""
    if not is_root():
        return Account(prefix=(), uid=os.geteuid(), gid=os.getegid())
    entry = _first_account("postgres", "nobody")
    os.chown(directory, entry.pw_uid, entry.pw_gid)
    for capability in (None, "dac_read_search", "dac_override"):
        prefix = _setpriv(entry, capability)
        if _can_write(prefix, directory):
            return Account(prefix=prefix, uid=entry.pw_uid, gid=entry.pw_gid)
    message = (
        f"Postgres may not run as root, and user {entry.pw_name} cannot enter {directory};"
        " move the checkout to where other users may go, or run as another user."
    )
    raise StackError(message)


def _first_account(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    message = f"none of the users {', '.join(names)} exists, and Postgres may not run as root."
    raise StackError(message)


def _can_write(prefix: tuple[str, ...], directory: Path) -> bool:
    """Tries it: access(2) would answer without regard to capabilities."""
    probe = ["touch", str(directory / "probe")]
    return subprocess.run([*prefix, *probe], check=False, capture_output=True, cwd="/").returncode == 0


def _setpriv(entry: pwd.struct_passwd, capability: str | None) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    who = (setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    if capability is None:
        return (*who, "--bounding-set=-all", "--no-new-privs")
    return (
        *who,
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
        f"--bounding-set=-all,+{capability}",
        "--no-new-privs",
    )
