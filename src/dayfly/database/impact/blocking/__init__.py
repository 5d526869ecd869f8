"""Whom a migration makes wait, and for how long."""
