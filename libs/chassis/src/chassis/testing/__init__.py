"""What tests of services stand on: a key pair and its JWKS over HTTP, true tokens, forged tokens, a running app."""

from chassis.testing.forged import forged_tokens, forgeries
from chassis.testing.issuer import TokenIssuer
from chassis.testing.serving import Client, serving

__all__ = ["Client", "TokenIssuer", "forged_tokens", "forgeries", "serving"]
