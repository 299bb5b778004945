"""The input of a classifier: crops of people, collected into clips."""
