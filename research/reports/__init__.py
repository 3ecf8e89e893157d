"""Report files: names, Markdown, storage; plans and citations.

May import `research.config`, `research.errors`, `research.formatting` and `models`.
"""
