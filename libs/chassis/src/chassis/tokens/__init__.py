"""Access tokens: who is calling, proven by auth's signature, until revoked."""

from chassis.tokens.errors import (
    RoleMissingError,
    TokenExpiredError,
    TokenInvalidError,
    TokenMissingError,
    TokenRevokedError,
)
from chassis.tokens.principal import Principal
from chassis.tokens.revocations import Revocations
from chassis.tokens.verifier import TokenVerifier

__all__ = [
    "Principal",
    "Revocations",
    "RoleMissingError",
    "TokenExpiredError",
    "TokenInvalidError",
    "TokenMissingError",
    "TokenRevokedError",
    "TokenVerifier",
]
