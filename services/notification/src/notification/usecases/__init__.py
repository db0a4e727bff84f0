"""One file per use case; ports.py says what they need from outside."""
