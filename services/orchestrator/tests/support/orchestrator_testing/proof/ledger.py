"""The participants of a proof: they keep their part of the contract, and what they did is on record.

Their part: a command id that is repeated gets the answer it got; an undo leaves a tombstone, so that what it undid is
not done later. With a model of the real participants it is the model that does the work, and that says what is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID, uuid4

from orchestrator.adapters.history_store import sent_by
from orchestrator.domain.effects import SendCommand
from orchestrator_testing.participants import Answer
from orchestrator_testing.proof.scenarios import REFUSED_CODE, Node


class Model(Protocol):
    """Participants with their money and stock: ``Participants`` is one."""

    def handle(self, body: Any, command_id: UUID) -> Answer: ...
    def unfinished(self, completed: Iterable[str], failed: Iterable[str]) -> list[str]: ...


class Ledger:
    """``effects``: what was done and undone, in order; an undo that found nothing has no effect."""

    def __init__(self, model: Model | None) -> None:
        self.model = model
        self.effects: list[Node] = []
        self.problems: list[str] = []
        self._answers: dict[UUID, Answer] = {}
        self._bytes: dict[UUID, bytes] = {}
        self._tombstones: set[str] = set()

    def handle(self, command: SendCommand, *, refuse: bool) -> Answer:
        """One transaction of a participant. ``refuse``: a command that is new is refused."""
        content = sent_by(command)[-1]
        if self._bytes.setdefault(command.command_id, content) != content:
            self.problems.append(f"{command.step}: one command id was sent with two contents")
        known = self._answers.get(command.command_id)
        if known is None:
            known = Answer(False, REFUSED_CODE) if refuse else self._do(command)
            self._answers[command.command_id] = known
        return known

    def handle_by_hand(self, command: SendCommand) -> None:
        """Somebody does what the command asks for, beside the saga."""
        if self.model:
            self.model.handle(command.body, uuid4())
        self._note(command)

    def _do(self, command: SendCommand) -> Answer:
        if self.model:
            answer = self.model.handle(command.body, command.command_id)
        else:
            late = not command.undo and command.step in self._tombstones
            answer = Answer(False, "proof.undone_before") if late else Answer(True)
        if answer.succeeded:
            self._note(command)
        return answer

    def _note(self, command: SendCommand) -> None:
        node = Node(command.step, command.undo)
        if command.undo:
            self._tombstones.add(command.step)
            if not self.is_done(command.step):
                return
        self.effects.append(node)

    def is_done(self, step: str) -> bool:
        """Done and not undone since."""
        return self.effects.count(Node(step)) > self.effects.count(Node(step, undo=True))
