"""Accounts that ended: their owners open no shop and buy nothing any more."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class AccountEndedError(DomainError):
    code, kind = "commerce.account.ended", Kind.FORBIDDEN
    title = "The account was deleted"
