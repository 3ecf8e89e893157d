"""The page: a report's Markdown to a PDF. May import `models`."""
