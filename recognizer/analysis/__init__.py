"""Run all stages together: over a stream, over a file, and with several classifiers."""
