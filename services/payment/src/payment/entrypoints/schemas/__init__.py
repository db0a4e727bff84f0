"""Bodies and views, one file a resource."""
