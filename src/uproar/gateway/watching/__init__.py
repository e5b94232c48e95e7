"""A connection that watches a stream of this process's hub."""
