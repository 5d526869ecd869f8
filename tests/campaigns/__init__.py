"""Long runs that try to break what must hold; their figures are kept as evidence."""
