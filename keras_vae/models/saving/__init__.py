"""Saving and loading of whole models as presets: configuration, weights and trust."""
