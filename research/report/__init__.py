"""A report in the making: its state, plan, sections and ledger, as plain objects without Temporal."""
