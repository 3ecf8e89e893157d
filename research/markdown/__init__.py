"""Markdown as models write it: fences, headings, titles, lists of references. Knows no page and no report."""
