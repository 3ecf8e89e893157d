"""Temporal: connecting, payload conversion, heartbeats, the dev server.

May import `research.config`, `research.redaction`, `research.errors` and `models`.
"""
