"""What tests of services stand on: a key pair and its JWKS over HTTP, true tokens, forged tokens, a running app."""

from chassis.testing.forged import Forgery, forgeries
from chassis.testing.issuer import TokenIssuer
from chassis.testing.serving import Client, serving

__all__ = ["Client", "Forgery", "TokenIssuer", "forgeries", "serving"]
