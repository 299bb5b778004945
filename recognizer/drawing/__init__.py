"""Draw boxes and labels on a picture, or on every picture of a video."""
