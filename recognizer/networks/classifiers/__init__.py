"""The networks that name clips: a catalogue, how each is built, what it is fed, and how weights get into it.

``catalogue`` is data and quick to import; ``network.load_classifier`` gives a classifier that is ready to run.
"""
