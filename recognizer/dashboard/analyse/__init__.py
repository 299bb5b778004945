"""The page that analyses a video."""
