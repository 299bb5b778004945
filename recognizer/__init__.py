"""Who does what, when, in a video."""
