"""A bucket of somebody else's S3 as the home of what the archive would hold."""
