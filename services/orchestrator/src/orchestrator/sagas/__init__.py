"""The sagas: one definition file per saga and version. A version, once deployed, is never edited, only added to."""

from __future__ import annotations

from typing import Final

from orchestrator.domain.registry import SagaRegistry
from orchestrator.sagas.order_payment_v1 import ORDER_PAYMENT_V1
from orchestrator.sagas.order_payment_v2 import ORDER_PAYMENT_V2
from orchestrator.sagas.triggers import TRIGGERS, Trigger

REGISTRY: Final = SagaRegistry([ORDER_PAYMENT_V1, ORDER_PAYMENT_V2])

__all__ = ["REGISTRY", "TRIGGERS", "Trigger"]
