"""From predictions to segments: the result of an analysis."""
