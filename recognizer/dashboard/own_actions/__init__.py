"""The page "My actions"."""
