"""How much one question may ask for."""

MOST_RECORDS = 100_000
MOST_AROUND = 1000  # lines before a record, and so many after it
