"""Every error code a client may meet, gathered from the merged OpenAPI and the gateway's own problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.envoy.problems import MEDIA_TYPE, codes


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One stable code: what it means and which operations answer with it."""

    code: str
    statuses: tuple[int, ...]
    title: str
    detail: str
    operations: tuple[str, ...]
    from_gateway: bool


def error_codes(openapi: Mapping[str, Any]) -> list[ErrorCode]:
    """All codes in alphabetical order."""
    found: dict[str, _Found] = {}
    for problem in codes():
        seen = found.setdefault(problem.code, _Found())
        seen.statuses.add(problem.status)
        seen.title, seen.detail, seen.from_gateway = problem.title, problem.detail, True
    for path, item in openapi.get("paths", {}).items():
        for method, operation in item.items():
            for status, response in operation.get("responses", {}).items():
                for code, title in _codes_of(response):
                    seen = found.setdefault(code, _Found())
                    seen.title = seen.title or title
                    seen.operations.add(f"{method.upper()} {path}")
                    if status.isdecimal():
                        seen.statuses.add(int(status))
    return [found[code].finish(code) for code in sorted(found)]


class _Found:
    def __init__(self) -> None:
        self.statuses: set[int] = set()
        self.operations: set[str] = set()
        self.title = self.detail = ""
        self.from_gateway = False

    def finish(self, code: str) -> ErrorCode:
        return ErrorCode(
            code=code,
            statuses=tuple(sorted(self.statuses)),
            title=self.title or code,
            detail=self.detail,
            operations=tuple(sorted(self.operations)),
            from_gateway=self.from_gateway,
        )


def _codes_of(response: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Code and title (empty when the service does not say) of each refusal a response stands for."""
    schema = response.get("content", {}).get(MEDIA_TYPE, {}).get("schema", {})
    titles: Mapping[str, str] = response.get("x-titles", {})
    for part in (schema, *schema.get("allOf", ())):
        for code in part.get("properties", {}).get("code", {}).get("enum", ()):
            yield code, titles.get(code, "")
