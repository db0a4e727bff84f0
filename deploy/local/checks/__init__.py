"""`make check`: everything that can be said of the code without running it, each check one line, many at once."""
