"""Envoy's configuration as plain data, one module per concern; ``bootstrap`` puts it together.

Nothing here does I/O: the same settings, route table and portal always give the same configuration.
"""
