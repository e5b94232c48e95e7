"""The comments as the write path finds them."""
