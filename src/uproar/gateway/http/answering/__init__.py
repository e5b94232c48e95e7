"""Answers, and whether anybody reads them."""
