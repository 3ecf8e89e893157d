"""Evidence: whether a report cites what it was given."""
