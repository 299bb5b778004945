"""A camera: the picture never waits for a network.

Threads share one stream. The camera's own thread hands every frame in and gets it back with the known boxes and labels
drawn on it; a second thread detects and tracks people in the latest frame; a third classifies clips. At most one frame
waits for detection and one clip a person for the classifier: late frames are skipped, late clips are joined, both are
counted, and nothing queues without bound.
"""
