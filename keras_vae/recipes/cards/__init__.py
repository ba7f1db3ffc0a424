"""Writing a preset's card from its numbers."""
