"""Bodies and views, one file a resource, with the parts that several share."""
