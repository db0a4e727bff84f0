"""Builders, a model of the participants and a simulation, for tests and benchmarks only."""
