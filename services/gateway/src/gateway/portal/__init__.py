"""The developer portal: static files made once, which Envoy answers from memory. No process of its own."""
