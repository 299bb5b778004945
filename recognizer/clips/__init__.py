"""The classifiers' input: crops of people, collected into clips."""
