"""The use cases, batch-first; all SQL lives here."""
