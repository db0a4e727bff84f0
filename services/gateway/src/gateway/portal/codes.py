"""Every error code a client may meet, gathered from the merged OpenAPI and the gateway's own problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from gateway.envoy.problems import MEDIA_TYPE, codes


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One stable code: what it means and which operations answer with it."""

    code: str
    statuses: tuple[int, ...]
    title: str
    titles: Mapping[str, str]
    detail: str
    operations: tuple[str, ...]
    from_gateway: bool


def error_codes(openapi: Mapping[str, Any]) -> list[ErrorCode]:
    """All codes in alphabetical order."""
    found: dict[str, _Found] = {}
    titles: dict[str, Mapping[str, str]] = _own_titles() | openapi.get("x-problem-titles", {})
    for problem in codes():
        seen = found.setdefault(problem.code, _Found())
        seen.statuses.add(problem.status)
        seen.title, seen.detail, seen.from_gateway = problem.title, problem.detail, True
    for path, item in openapi.get("paths", {}).items():
        for method, operation in item.items():
            for status, response in operation.get("responses", {}).items():
                for code in _codes_of(response):
                    seen = found.setdefault(code, _Found())
                    seen.operations.add(f"{method.upper()} {path}")
                    if status.isdecimal():
                        seen.statuses.add(int(status))
    return [found[code].finish(code, titles.get(code, {})) for code in sorted(found)]


def _own_titles() -> dict[str, Mapping[str, str]]:
    """Of what only the gateway answers. Envoy answers in English whatever the reader's language."""
    translated = json.loads(resources.files("gateway").joinpath("problems.json").read_text(encoding="utf-8"))
    return {each.code: {"en": each.title, **translated[each.code]} for each in codes() if each.code in translated}


class _Found:
    def __init__(self) -> None:
        self.statuses: set[int] = set()
        self.operations: set[str] = set()
        self.title = self.detail = ""
        self.from_gateway = False

    def finish(self, code: str, titles: Mapping[str, str]) -> ErrorCode:
        return ErrorCode(
            code=code,
            statuses=tuple(sorted(self.statuses)),
            title=titles.get("en") or self.title or code,
            titles=titles,
            detail=self.detail,
            operations=tuple(sorted(self.operations)),
            from_gateway=self.from_gateway,
        )


def _codes_of(response: Mapping[str, Any]) -> Iterator[str]:
    """Each refusal a response stands for."""
    schema = response.get("content", {}).get(MEDIA_TYPE, {}).get("schema", {})
    for part in (schema, *schema.get("allOf", ())):
        yield from part.get("properties", {}).get("code", {}).get("enum", ())
