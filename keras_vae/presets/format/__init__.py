"""The bytes of a preset on disk."""
