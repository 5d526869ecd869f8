"""The logs page: what the log store answers, for a person to look around in."""
