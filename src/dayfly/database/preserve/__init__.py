"""What a rollback would lose: exported before it is lost, and the schema brought back for it."""
