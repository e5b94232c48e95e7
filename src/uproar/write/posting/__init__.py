"""How a comment is taken."""
