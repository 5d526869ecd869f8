"""What the commands of `dayfly files` do."""
