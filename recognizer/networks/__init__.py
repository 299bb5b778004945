"""Load and run networks: from settings to verified weights to a detector and a classifier."""
