"""Realtime: who watches which stream on this node, and how what is committed reaches them in order, each once."""
