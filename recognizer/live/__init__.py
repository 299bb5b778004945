"""A camera: the picture never waits for a network.

Threads that share one stream: the camera's own hands every frame in and gets it back with what is known drawn on it, a
second follows people in the newest frame, a third names clips. Between them stand one frame, and at most one clip a
person: what is late is dropped or joined, and counted; nothing queues without bound.
"""

from recognizer.live.stats import LiveStats
from recognizer.live.stream import LiveStream

__all__ = ["LiveStats", "LiveStream"]
