"""What takes records in: one file per protocol."""
