"""Chat on the socket: which streams people watch, what their frames do, receipts, typing and presence."""
