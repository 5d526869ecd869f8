"""Functions and triggers: what they do, whom they call, and whether they still run."""
