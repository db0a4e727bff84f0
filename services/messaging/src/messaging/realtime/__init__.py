"""The one socket of the app: connections, tickets, and streams that reach whoever watches them, in order, each once.

It knows no dialog and no message: what is streamed and what clients may say is the provider's (``socket/ports.py``).
"""
