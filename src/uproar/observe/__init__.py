"""Numbers: what is measured, under which name, and how it is told to a scraper."""
