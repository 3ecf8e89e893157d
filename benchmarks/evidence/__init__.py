"""Evidence: how well passages are told from forgeries, and statements from what their sources do not say."""
