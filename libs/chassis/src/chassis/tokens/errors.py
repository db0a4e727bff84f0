"""Why a caller is not let in."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class TokenMissingError(DomainError):
    code, kind = "auth.token.missing", Kind.UNAUTHENTICATED
    title = "Sign in first"


class TokenInvalidError(DomainError):
    code, kind = "auth.token.invalid", Kind.UNAUTHENTICATED
    title = "The access token is not valid"


class TokenExpiredError(DomainError):
    code, kind = "auth.token.expired", Kind.UNAUTHENTICATED
    title = "The access token has expired"


class TokenRevokedError(DomainError):
    code, kind = "auth.token.revoked", Kind.UNAUTHENTICATED
    title = "This session was signed out"


class RoleMissingError(DomainError):
    code, kind = "auth.role.missing", Kind.FORBIDDEN
    title = "Your account may not do this"
