"""Stand-ins for other people's servers, each able to misbehave on request.

A payment provider, an SMS provider and a mail catcher, for tests and the local stack; nothing is kept on disk.
"""
