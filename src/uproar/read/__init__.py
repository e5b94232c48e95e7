"""The read side: what REST tells of streams and comments."""
