"""Routes, consumers, jobs."""
