"""Live cameras: the picture never waits for a network.

Several threads share one stream. The camera's own thread passes in every frame and gets it back with the known boxes
and labels drawn on it; another detects and tracks people in the latest frame; a third classifies clips. At most one
frame waits for detection, and at most one clip per person for the classifier: late frames are skipped, late clips are
joined, both are counted, and no queue grows without bound.
"""
