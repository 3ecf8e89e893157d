"""The tests: each starts from what a user sees."""
