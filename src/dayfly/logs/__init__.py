"""Central logs: what a record is, how it is asked for, kept and taken in."""
