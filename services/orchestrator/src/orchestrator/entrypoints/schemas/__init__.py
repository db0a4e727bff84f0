"""Bodies and views of the operator API."""
