"""A whole model as a preset and back: configuration, weights, trust."""
