"""What the tests and benchmarks of commerce share: fakes, builders, people, the running service."""
