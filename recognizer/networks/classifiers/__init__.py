"""The networks that classify clips: how each is built, what it is fed, and how weights get into it.

``recognizer/classifier_specs.py`` lists them; ``network.load_classifier`` loads one that is ready to run.
"""
