"""Boxes and labels on a picture, and on every picture of a video."""
