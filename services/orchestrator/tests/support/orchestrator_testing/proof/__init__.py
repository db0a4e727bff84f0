"""One call proves every undo of any saga: see ``prove_saga``."""

from orchestrator_testing.proof.engine import Engine
from orchestrator_testing.proof.proving import Proof, SagaNotProvedError, prove_saga

__all__ = ["Engine", "Proof", "SagaNotProvedError", "prove_saga"]
