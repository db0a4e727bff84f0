"""The operator API, one file a resource."""
