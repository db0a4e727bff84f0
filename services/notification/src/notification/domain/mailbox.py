"""The mailbox that an address names, or the refusal of an address that no mail can be sent to.

Invariant: no address makes a header line, a second recipient or a command of SMTP.
"""

from __future__ import annotations

from dataclasses import dataclass

_NOT_PLAIN = frozenset(' <>,;:"()[]\\')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``utf8``: its local part is not ASCII, so that only a server which offers SMTPUTF8 can take the mail."""

    address: str
    utf8: bool


class NotAMailboxError(ValueError):
    """No mail can be sent to this address, by any server."""


def mailbox_of(address: str) -> Mailbox:
    """Raises ``NotAMailboxError``."""
    local, _, domain = address.rpartition("@")
    if not (local and domain and address.isprintable()) or any(each in _NOT_PLAIN for each in address):
        raise NotAMailboxError
    try:
        ascii_domain = domain.encode("idna").decode()  # which every server takes
    except UnicodeError as error:
        raise NotAMailboxError from error
    return Mailbox(f"{local}@{ascii_domain}", not local.isascii())
