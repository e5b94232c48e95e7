"""What is judged of a text beyond its form: words and links."""
