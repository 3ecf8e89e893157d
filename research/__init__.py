"""What supports the worker and the starter. Nothing here is imported before it is needed."""

__version__ = "0.11"
