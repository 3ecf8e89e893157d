"""Report files: names, Markdown, storage. May import `research.config`, `research.errors` and `models`."""
