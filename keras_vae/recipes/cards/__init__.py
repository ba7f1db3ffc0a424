"""From a preset's numbers to its card."""
