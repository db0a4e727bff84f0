"""Why a caller is not let in."""

from __future__ import annotations

from typing import ClassVar

from kernel.errors import DomainError, Kind


class TokenMissingError(DomainError):
    code: ClassVar[str] = "auth.token.missing"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "Sign in first"


class TokenInvalidError(DomainError):
    code: ClassVar[str] = "auth.token.invalid"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The access token is not valid"


class TokenExpiredError(DomainError):
    code: ClassVar[str] = "auth.token.expired"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The access token has expired"


class TokenRevokedError(DomainError):
    code: ClassVar[str] = "auth.token.revoked"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "This session was signed out"


class RoleMissingError(DomainError):
    code: ClassVar[str] = "auth.role.missing"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title: ClassVar[str] = "Your account may not do this"
