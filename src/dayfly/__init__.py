"""Dayfly: each release on fresh machines, and nothing is lost."""
