"""What a report leaves in its folder or store: names, files, and the report as Markdown."""
