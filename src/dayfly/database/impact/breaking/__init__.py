"""Whether the outgoing release goes on working: what of its schema is gone, or stricter."""
