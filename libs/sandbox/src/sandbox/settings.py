"""Where the sandbox listens and whom it tells, from the environment."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Defaults suit the local stack. No secret has one: what is left out is made anew at each start, for nobody."""

    http_host: str
    http_port: int
    smtp_port: int
    scanner_port: int
    webhook_url: str
    webhook_secret: str
    api_key: str

    @classmethod
    def from_environment(cls) -> SandboxSettings:
        env = os.environ
        return cls(
            http_host=env.get("SANDBOX_HTTP_HOST", "127.0.0.1"),
            http_port=int(env.get("SANDBOX_HTTP_PORT", "18190")),
            smtp_port=int(env.get("SANDBOX_SMTP_PORT", "18125")),
            scanner_port=int(env.get("SANDBOX_SCANNER_PORT", "18131")),
            webhook_url=env.get("SANDBOX_WEBHOOK_URL", "http://127.0.0.1:18103/v1/provider-webhooks/sandbox"),
            webhook_secret=env.get("SANDBOX_WEBHOOK_SECRET") or secrets.token_urlsafe(),
            api_key=env.get("SANDBOX_API_KEY") or secrets.token_urlsafe(),
        )
