"""Random kills and faults while reports run, and an audit of the outcome from outside."""
