"""The terminal: prompt, live view, listing, checks, log lines.

May import all of `research`; nothing in `research` imports it.
"""
