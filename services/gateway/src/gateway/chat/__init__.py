"""The web client at /chat: static files that Envoy answers from memory, as it does the portal's."""
