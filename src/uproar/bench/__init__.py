"""What `uproar bench` runs."""
