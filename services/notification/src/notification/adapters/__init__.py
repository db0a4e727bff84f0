"""Postgres stores, templates, and the gateways to mail and SMS providers."""
