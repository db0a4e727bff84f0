"""Routes of the service, a file a resource."""
