"""The files page: the archive, for a person to look around in and to change with care."""
