"""The page that compares classifiers."""
