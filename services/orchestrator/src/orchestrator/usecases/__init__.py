"""What the orchestrator does, one file per use case."""
