"""The streams as the write path knows them."""
