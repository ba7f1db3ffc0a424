"""The file format of presets."""
