"""Sources: searches of the web, and what is kept of their results."""
