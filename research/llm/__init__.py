"""Model calls: one prompt in, streamed text and its usage out.

May import `research.config`, `research.redaction`, `research.errors` and `models`.
"""
