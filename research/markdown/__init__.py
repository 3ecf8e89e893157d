"""Markdown as models write it: parser, fences, headings, titles, reference lists; knows no page or report."""
