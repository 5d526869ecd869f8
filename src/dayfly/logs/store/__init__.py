"""The log store: keeps what it acknowledged, and finds it again."""
