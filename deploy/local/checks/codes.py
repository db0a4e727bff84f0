"""Which codes a package can answer or write down, read from its source without running it.

An error's code stands in its class, with an English title; the codes of a record's field are the members of a
``kernel.reasons.Reason``. A service that handles commands answers with the errors that its handlers reach.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Final

_BASE: Final = "DomainError"  # its own code is never answered
_REASON: Final = "Reason"
_CODE: Final = re.compile(r"[a-z_]+(\.[a-z0-9_]+){1,3}")
_CARRIES_REASON: Final = frozenset({"reason_code", "failure_code"})


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """``title`` is empty where the class and those it is made of have none; ``base`` is the name of the first."""

    name: str
    code: str
    title: str
    base: str


@dataclass(frozen=True)
class Package:
    """One package of the tree; ``folder`` is that of its ``__init__.py``."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def modules(self) -> Mapping[Path, ast.Module]:
        """By path below the package's folder."""
        return {
            path.relative_to(self.folder): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(self.folder.rglob("*.py"))
        }

    @cached_property
    def errors(self) -> Sequence[ErrorClass]:
        found = [error for module in self.modules.values() for error in _error_classes(module)]
        titles = {error.name: error.title for error in found}
        return [
            ErrorClass(error.name, error.code, error.title or titles.get(error.base, ""), error.base)
            for error in found
            if error.name != _BASE
        ]

    @cached_property
    def answers(self) -> Mapping[str, str]:
        """English titles by code, of everything that a request may be refused with."""
        written = {code: title for module in self.modules.values() for code, title in _described_codes(module)}
        return written | {error.code: error.title for error in self.errors}

    @cached_property
    def reasons(self) -> frozenset[str]:
        """Codes of its own that it gives as reasons: members of a ``Reason``, and what is written there as it is."""
        return frozenset(code for module in self.modules.values() for code in _reasons_in(module))

    @cached_property
    def refusals_of_commands(self) -> frozenset[str]:
        """Codes of the errors that its handlers of commands reach: by name, so rather too many than too few."""
        codes = {error.name: error.code for error in self.errors}
        named = self._names_reached(
            function
            for module in self.modules.values()
            for function in ast.walk(module)
            if isinstance(function, ast.AsyncFunctionDef) and any(map(_is_of_commands, function.decorator_list))
        )
        return frozenset(codes[name] for name in named & codes.keys())

    def _names_reached(self, begin: Iterable[ast.AST]) -> frozenset[str]:
        """Every name that these use, and that what is defined under such a name uses. Adapters refuse nothing."""
        defined: dict[str, list[ast.AST]] = {}
        for path, module in self.modules.items():
            for name, node in _definitions(module) if "adapters" not in path.parts else ():
                defined.setdefault(name, []).append(node)
        reached, waiting = set[str](), [name for node in begin for name in _names_used(node)]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += [each for node in defined.get(name, ()) for each in _names_used(node)]
        return frozenset(reached)


def _error_classes(module: ast.Module) -> Iterator[ErrorClass]:
    constants = dict(_constants(module))
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
            values = {name: value for statement in node.body for name, value in _assigned(statement)}
            base = ast.unparse(node.bases[0]) if node.bases else ""
            if "code" in values:
                code = _text(values["code"]) or ast.unparse(values["code"])  # not written out: no sentence has it
                yield ErrorClass(node.name, code, _text(values.get("title"), constants), base)


def _described_codes(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Codes of answers that no class stands for: calls with a ``code`` and a ``title``, or with both in this order."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            named = {each.arg: _text(each.value) for each in node.keywords}
            given = [_text(each) for each in node.args]
            for code, title in ((named.get("code", ""), named.get("title", "")), *pairwise(given)):
                if _CODE.fullmatch(code) and " " in title:
                    yield code, title


def _reasons_in(module: ast.Module) -> Iterator[str]:
    constants = dict(_constants(module))
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == [_REASON]:
            yield from (_text(value) for statement in node.body for _, value in _assigned(statement))
        elif isinstance(node, ast.keyword) and node.arg in _CARRIES_REASON:
            written = _text(constants.get(ast.unparse(node.value), node.value))
            yield from (written,) if written else ()


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in module.body:
        yield from _assigned(statement)


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are set to: ``a = …``, ``a: T = …`` and ``a, b = …, …``."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value
    elif isinstance(statement, ast.Assign):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = zip(target.elts, value.elts, strict=False)
            yield from ((name.id, each) for name, each in pairs if isinstance(name, ast.Name))


def _text(value: ast.expr | None, constants: Mapping[str, ast.expr] | None = None) -> str:
    """A text as written, with the module's constants filled in; empty for everything else."""
    match value:
        case ast.Constant(value=str() | int() as written):
            return str(written)
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, constants) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return _text((constants or {}).get(name))
    return ""


def _is_of_commands(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return False
    in_batches = any(each.arg == "commands" and ast.unparse(each.value) == "True" for each in decorator.keywords)
    return decorator.func.attr == "on_command" or (decorator.func.attr == "on_batch" and in_batches)


def _definitions(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions and methods, and what a module's names are set to."""
    yield from _constants(module)
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _names_used(node: ast.AST) -> Iterator[str]:
    """Names and attributes, leaving out what is caught."""
    caught = {
        each
        for part in ast.walk(node)
        if isinstance(part, ast.ExceptHandler) and part.type
        for each in ast.walk(part.type)
    }
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each not in caught:
            yield each.id
        elif isinstance(each, ast.Attribute) and each not in caught:
            yield each.attr
