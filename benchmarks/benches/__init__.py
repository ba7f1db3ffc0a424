"""One small file a bench. Frameworks are imported by the contenders, each in its own process."""
