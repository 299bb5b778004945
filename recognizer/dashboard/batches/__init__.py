"""The page that follows batches, and looks into all their videos at once."""
