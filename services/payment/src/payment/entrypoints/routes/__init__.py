"""Payment's routes, one file a resource."""
