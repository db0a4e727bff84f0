"""Stores and reads in Postgres, the templates, and the gateways to mail and SMS providers."""
