"""Bodies clients send and views they read."""
