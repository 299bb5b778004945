"""The page "Live camera"."""
