"""The language in which logs are asked for."""
