"""How auth is reached: HTTP, Kafka, the clock and the command line. Parse, begin, call, render."""
