"""The file archive: objects as plain files in a tree that a person can read and back up."""
