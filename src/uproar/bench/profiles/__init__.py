"""The profiles, by what they are about."""
