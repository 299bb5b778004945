"""What was said: predictions, and the segments they make."""
