"""What a migration may do to production's rows, and did not on the copy."""
