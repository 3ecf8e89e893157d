"""Report files: their names, their Markdown, their storage. May import `research.errors` and `models`."""
