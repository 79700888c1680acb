"""Readable PyTorch twins of the Swift engine: one part per file, the same names."""
