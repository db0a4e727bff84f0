"""Categories form a forest; a product in a category is also in every category above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commerce.domain.ids import CategoryId
from commerce.domain.texts import LocalisedText
from kernel.errors import DomainError, Kind


class CategoryNotFoundError(DomainError):
    code, kind = "commerce.category.not_found", Kind.INVALID
    title = "There is no such category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One node. ``parent_id`` is None at the top."""

    id: CategoryId
    parent_id: CategoryId | None
    slug: str
    titles: LocalisedText
    position: int


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category with what hangs below it."""

    category: Category
    children: tuple[CategoryNode, ...]


class CategoryTree:
    """All categories, in order of position."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self._by_slug: dict[str, Category] = {}
        self._by_id: dict[CategoryId, Category] = {}
        self._children: dict[CategoryId | None, list[Category]] = {}
        for category in sorted(categories, key=lambda each: (each.position, each.slug)):
            self._by_slug[category.slug] = category
            self._by_id[category.id] = category
            self._children.setdefault(category.parent_id, []).append(category)

    def __contains__(self, category_id: CategoryId) -> bool:
        return category_id in self._by_id

    def roots(self) -> tuple[CategoryNode, ...]:
        return self._nodes(None)

    def subtree_ids(self, slug_or_id: str) -> Sequence[CategoryId]:
        """The category and all below it. Raises ``CategoryNotFoundError``."""
        category = self._by_slug.get(slug_or_id) or next(
            (each for each in self._by_id.values() if str(each.id) == slug_or_id), None
        )
        if category is None:
            raise CategoryNotFoundError(pointer="/category")
        found, waiting = [category.id], [category.id]
        while waiting:
            below = [child.id for child in self._children.get(waiting.pop(), [])]
            found += below
            waiting += below
        return found

    def _nodes(self, parent_id: CategoryId | None) -> tuple[CategoryNode, ...]:
        return tuple(CategoryNode(each, self._nodes(each.id)) for each in self._children.get(parent_id, []))
