"""The write path of another process of this machine."""
