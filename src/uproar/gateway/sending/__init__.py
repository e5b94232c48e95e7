"""Frames on their way to the viewers of a room."""
