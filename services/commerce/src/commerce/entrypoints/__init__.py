"""Where requests and records come in: parse, call a use case, render."""
