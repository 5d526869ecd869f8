"""A conference on pretalx, as it comes from PyPI: released, visited, upgraded and rolled back."""
