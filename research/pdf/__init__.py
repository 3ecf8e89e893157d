"""The page: a parsed Markdown text to a PDF."""
