"""Markdown as models write it: its parser, fences, headings, titles, lists of references. Knows no page and no report."""
