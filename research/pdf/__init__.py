"""The page: Markdown to a PDF. May import `research.{config,errors,reports.markdown}` and `models`."""
