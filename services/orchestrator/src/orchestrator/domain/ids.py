"""Ids as types of their own, so that one is never taken for another."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

SagaId = NewType("SagaId", UUID)
CommandId = NewType("CommandId", UUID)  # of one round of a step or its undo
OperatorId = NewType("OperatorId", UUID)
BulkId = NewType("BulkId", UUID)  # of one act on many sagas
