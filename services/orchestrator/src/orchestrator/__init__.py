"""Runs the sagas: flows that cross services."""
