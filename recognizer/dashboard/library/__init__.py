"""The page that lists all videos and runs."""
