"""Where the sources lie in a checkout. Commands that build need them; reading records does not."""

from __future__ import annotations

from pathlib import Path


class NoCheckoutError(RuntimeError):
    """A building command was run outside a checkout."""


def checkout() -> Path:
    """The checkout around this file, or around the working directory. Raises ``NoCheckoutError``."""
    for folder in [*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents]:
        if (folder / "proto-events" / "buf.yaml").exists():
            return folder
    raise NoCheckoutError("no proto-events folder above this package or the working directory")


def proto_folder() -> Path:
    return checkout() / "proto-events"


def generated_folder() -> Path:
    """Holds the ``sampan`` package."""
    return checkout() / "libs" / "contracts" / "src"


def catalogue_folder() -> Path:
    return checkout() / "docs" / "events"


def golden_folder() -> Path:
    return checkout() / "libs" / "contracts" / "tests" / "golden"
