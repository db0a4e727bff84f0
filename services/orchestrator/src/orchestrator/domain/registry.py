"""Finds definitions: new sagas start on the newest version, running ones stay on theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kernel.errors import DomainError, Kind
from orchestrator.domain.definition import SagaDefinition


class UnknownDefinitionError(DomainError):
    """This process does not know the saga's version: another one, newer, does. Try again later."""

    code, kind = "orchestrator.definition.unknown", Kind.UNAVAILABLE
    title = "The saga's definition is not known here"


class SagaRegistry:
    """All definitions this process knows, by type and version."""

    def __init__(self, definitions: Iterable[SagaDefinition]) -> None:
        self._pinned = {(item.saga_type, item.version): item for item in definitions}
        self._newest: dict[str, SagaDefinition] = {}
        for item in self._pinned.values():
            if item.version >= self._newest.setdefault(item.saga_type, item).version:
                self._newest[item.saga_type] = item

    @property
    def known(self) -> Sequence[tuple[str, int]]:
        """Type and version of each."""
        return list(self._pinned)

    def newest(self, saga_type: str) -> SagaDefinition:
        return self._newest[saga_type]

    def pinned(self, saga_type: str, version: int) -> SagaDefinition:
        """Raises ``UnknownDefinitionError``: a newer deployment knows it, this process must leave it alone."""
        definition = self._pinned.get((saga_type, version))
        if definition is None:
            raise UnknownDefinitionError(f"{saga_type} v{version} is not known to this process")
        return definition

    def __iter__(self) -> Iterator[SagaDefinition]:
        return iter(self._pinned.values())
