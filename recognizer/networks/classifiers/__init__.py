"""The networks that classify clips: their architectures, inputs and weights.

``recognizer/classifier_specs.py`` lists them; ``network.load_classifier`` loads one that is ready to run.
"""
