"""``python -m auth http | relay | jobs | migrate | all | grant-role | withdraw-role | rotate-keys``."""

from __future__ import annotations

from pathlib import Path

from auth.entrypoints.commands import grant_role_command, rotate_keys_command, withdraw_role_command
from auth.entrypoints.http import http
from auth.entrypoints.jobs import background, jobs
from auth.entrypoints.relays import relays
from auth.settings import AuthSettings
from auth.wiring import wire
from chassis.run import Service, main

SERVICE = Service(
    name="auth",
    settings=AuthSettings,
    wire=wire,
    http=http,
    consumers=lambda _: [],
    relays=relays,
    jobs=jobs,
    background=background,
    migrations=Path(__file__).parents[2] / "migrations",
    commands={
        "grant-role": grant_role_command,
        "withdraw-role": withdraw_role_command,
        "rotate-keys": rotate_keys_command,
    },
)

if __name__ == "__main__":
    main(SERVICE)
