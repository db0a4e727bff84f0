"""Legal hold: while a dialog is under it, no retention and no erasure destroys what was written there."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class NoSuchDialogError(DomainError):
    code, kind = "messaging.dialog.absent", Kind.NOT_FOUND
    title = "There is no dialog with this id"


class NotHeldError(Exception):
    """The dialog is not under legal hold, or not any more, or is not there at all."""
