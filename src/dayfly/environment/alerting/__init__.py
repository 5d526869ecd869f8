"""Searches of the logs that are asked again and again, and whoever is told what they found."""
