"""What a database consists of, read and compared."""
