"""Somebody with a camera on the live page, without a browser: WebRTC as streamlit-webrtc's frontend speaks it.

The camera's pictures are encoded once, before the measurement, and sent as they are; a browser would encode each, at
the cost of the machine that is measured. Received pictures are decoded and counted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from typing import Any, Final

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.live_clips import CAMERA_HZ
from benchmarks.page_client import Tree, Visitor

_CLOCK_HZ: Final = 90_000
"""Of video in RTP (RFC 7741)."""

_BITS_PER_S: Final = 1_500_000


def encoded(frames: Sequence[NDArray[np.uint8]]) -> list[bytes]:
    """Return a camera's frames in VP8, uint8 (H, W, 3) each, with a key frame every second: nobody can ask for one."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.height, encoder.width = frames[0].shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, CAMERA_HZ), _BITS_PER_S
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "g": str(CAMERA_HZ), "lag-in-frames": "0"}
    packets = []
    for index, rgb in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        picture.pts = index
        packets += encoder.encode(picture)
    return [bytes(packet) for packet in (*packets, *encoder.encode())]


class _Camera(MediaStreamTrack):
    """Sends encoded pictures in a loop, as often as a camera does."""

    kind = "video"

    def __init__(self, pictures: Sequence[bytes]) -> None:
        super().__init__()
        self._pictures, self._numbers, self._began_s = pictures, count(), time.monotonic()

    async def recv(self) -> av.Packet[Any]:
        """Return the next picture when its time has come."""
        number = next(self._numbers)
        await asyncio.sleep(self._began_s + number / CAMERA_HZ - time.monotonic())
        packet = av.Packet(self._pictures[number % len(self._pictures)])
        packet.pts, packet.time_base = number * _CLOCK_HZ // CAMERA_HZ, Fraction(1, _CLOCK_HZ)
        return packet


class Watcher:
    """Sends a camera's picture and watches what comes back, until ``stop``.

    Attributes:
        pictures: how many have come back.
    """

    def __init__(self, visitor: Visitor, camera: Sequence[bytes]) -> None:
        self.pictures = 0
        self._visitor, self._peer = visitor, RTCPeerConnection()
        self._peer.addTrack(_Camera(camera))
        self._peer.on("track", self._watch)
        self._id = ""
        self._counting: asyncio.Task[None] | None = None

    async def start(self, within_s: float) -> None:
        """Press Start, and wait for the first picture.

        Raises:
            TimeoutError: none came in time.
        """
        async with asyncio.timeout(within_s):
            await self._visitor.until(lambda tree: tree.is_whole and _streamers(tree), within_s)
            self._id = _streamers(self._visitor.tree)[0].id
            await self._peer.setLocalDescription(await self._peer.createOffer())
            offer = {"type": self._peer.localDescription.type, "sdp": self._peer.localDescription.sdp}
            await self._tell(offer, is_playing=False)
            await self._visitor.until(_answer, within_s)
            answer = _answer(self._visitor.tree)
            assert answer is not None
            await self._peer.setRemoteDescription(RTCSessionDescription(**answer))
            await self._tell(offer, is_playing=True)
            while not self.pictures:
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Press Stop."""
        await self._tell(None, is_playing=False)
        await self._peer.close()

    async def _tell(self, offer: dict[str, str] | None, *, is_playing: bool) -> None:
        value = {"playing": is_playing, "sdpOffer": offer or "", "iceCandidates": {}}  # they are in the offer
        await self._visitor.move(WidgetState(id=self._id, json_value=json.dumps(value)))

    def _watch(self, track: MediaStreamTrack) -> None:
        async def count_pictures() -> None:
            try:
                while True:
                    await track.recv()
                    self.pictures += 1
            except MediaStreamError:
                return  # the stream has ended

        self._counting = asyncio.create_task(count_pictures())


def _streamers(tree: Tree) -> list[Any]:
    return [one for one in tree.of("component_instance") if "webrtc" in one.component_name]


def _answer(tree: Tree) -> dict[str, str] | None:
    said = [json.loads(one.json_args).get("sdp_answer_json") for one in _streamers(tree)]
    return json.loads(said[0]) if said and said[0] else None
