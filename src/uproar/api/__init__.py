"""HTTP over the services: one file a resource."""
