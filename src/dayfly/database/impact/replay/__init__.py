"""A migration run again on a copy, statement by statement, and what each one does."""
