"""The rules of auth, without I/O, clock or randomness: every function says what follows from what it is given."""
