"""What tests and benchmarks of auth share."""
