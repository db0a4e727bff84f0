"""A client of the public API, as an app would be: through the gateway, with tokens and idempotency keys."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp


class ApiError(Exception):
    """An answer of 400 or above. ``problem`` is the problem+json body (empty when it was none)."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{method} {path} → {status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status, self.problem = status, problem

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


class Api:
    """One base URL and one HTTP session; ``as_user`` gives clients that share it."""

    def __init__(self, base_url: str, *, timeout_s: float = 30.0, connections: int = 200) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections), timeout=aiohttp.ClientTimeout(total=timeout_s)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; returns the JSON body (None for 204). Raises ``ApiError``.

        A POST gets a fresh ``Idempotency-Key`` unless ``key`` is given.
        """
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", key or str(uuid.uuid4()))
        url = f"{self.base_url}{path}"
        async with self._session.request(method, url, json=body, params=query, headers=sent) as answer:
            is_json = answer.content_type.endswith("json")
            content: Any = await answer.json(content_type=None) if is_json else await answer.text()
            if answer.status >= 400:
                raise ApiError(method, path, answer.status, content if is_json else {"detail": content[:200]})
            return content or None

    async def sign_up(self, *, country: str, locale: str, name: str, email: str, password: str) -> Person:
        """Create a person with e-mail and password; returns them signed in."""
        answer = await self.call(
            "POST",
            "/v1/users",
            {"email": email, "password": password, "name": name, "country": country, "locale": locale},
        )
        return Person(self, answer)

    async def sign_in(self, *, email: str, password: str) -> Person:
        """Start a session with e-mail and password."""
        answer = await self.call("POST", "/v1/sessions", {"method": "password", "email": email, "password": password})
        return Person(self, answer)


class Person:
    """A signed-in person: the answer of a sign-up or login, and requests in their name."""

    def __init__(self, api: Api, answer: Mapping[str, Any]) -> None:
        self.api = api
        self.user_id: str = answer["user"]["user_id"]
        self.name: str = answer["user"]["name"]
        self.email: str = answer["user"]["email"] or ""
        self.session_id: str = answer["session_id"]
        self.access_token: str = answer["access_token"]
        self.refresh_token: str = answer["refresh_token"]

    async def get(self, path: str, **query: str | int) -> Any:
        return await self.api.call("GET", path, token=self.access_token, query=query)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        return await self.api.call("POST", path, body, token=self.access_token, key=key)

    async def put(self, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.call("PUT", path, body, token=self.access_token, headers=named)

    async def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.api.call("PATCH", path, body, token=self.access_token, headers=named)

    async def delete(self, path: str) -> Any:
        return await self.api.call("DELETE", path, token=self.access_token)

    async def every(self, path: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """All items of a list, page after page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return
