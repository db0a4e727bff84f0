"""Sockets to nodes, in this folder's words."""

from messaging_testing.sockets import documented, heard_by, message, node_of, sockets  # noqa: F401
