"""A client of the realtime API that keeps its promises on a bad network.

It connects, comes back after a break, asks for what it missed, says again what was not answered, and gives each stored
event of a dialog once and in order. It knows the public API and no service.
"""

from chatclient.client import ChatClient, TokenSource
from chatclient.errors import ChatClosedError, RefusedError
from chatclient.sending import Sent

__all__ = ["ChatClient", "ChatClosedError", "RefusedError", "Sent", "TokenSource"]
