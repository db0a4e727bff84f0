"""Bodies and views of the routes, a file a resource."""
