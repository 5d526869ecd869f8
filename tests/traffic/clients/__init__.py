"""One module for each kind of client; each runs until the session ends."""
