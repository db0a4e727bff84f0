"""Long-lived objects between the bytes of clients and stored events: sockets, feeds, and what nodes tell each other."""
