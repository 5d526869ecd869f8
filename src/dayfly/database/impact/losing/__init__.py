"""What a migration takes away, and what it takes along."""
