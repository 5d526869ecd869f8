"""Findings with what stands around them, and what production says of them."""
