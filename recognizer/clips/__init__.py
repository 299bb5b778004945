"""A classifier's input: people's crops, sampled into clips."""
