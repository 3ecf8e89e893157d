"""The marks that stand in a checked text for the citations that the program has made."""

import re

MADE = "\u2060"
"""Stands before each citation mark that the check of the citations has made, and before no other: a mark that
a model wrote, and that was left alone in a link or a formula, must never lead to a source."""
CITATION = re.compile(rf"{MADE}\[\^(\d{{1,3}})\]")
