"""How a video was read, in words."""

from __future__ import annotations

from recognizer.types import DamagedSpan, Part, Reading, StreamFacts
from recognizer.video.reading import line, sentences


def test_plain_file_needs_no_words() -> None:
    assert line(Reading()) == ""
    assert sentences(Reading(stream=0, first_picture_s=0.0)) == ()


def test_line_says_what_was_done() -> None:
    reading = Reading(
        deinterlaced=True,
        stored_wh=(1440, 1080),
        shown_wh=(1920, 1080),
        first_picture_s=0.8,
        damaged=(DamagedSpan(3.1, 3.2, 2),),
    )
    assert line(reading) == (
        "deinterlaced; 1440 × 1080 shown as 1920 × 1080; pictures begin at 0.80 s; "
        "2 packets at 3.1 to 3.2 s could not be decoded"
    )


def test_rate_that_user_gave_is_not_called_assumed() -> None:
    assert line(Reading(rate_assumed_hz=25.0)) == "25 frames/s assumed, because the file does not say"
    assert line(Reading(rate_assumed_hz=25.0, rate_given_hz=15.0)) == "15 frames/s, as you gave it"


def test_other_videos_are_named_so_that_one_can_be_chosen() -> None:
    others = (StreamFacts(0, 160, 120, "h264"), StreamFacts(3, 320, 240, "h264"))
    told = line(Reading(stream=1, other_streams=others))
    assert told == "3 videos in the file: stream 1 is read, not 0 (160 × 120), 3 (320 × 240)"
    chosen = line(Reading(stream=1, other_streams=others, stream_given=True))
    assert chosen == "3 videos in the file: stream 1 is read, as you chose"


def test_many_damaged_places_are_counted() -> None:
    spans = tuple(DamagedSpan(float(k), k + 0.5, 2) for k in range(6))
    assert sentences(Reading(damaged=spans))[-1] == "damaged in 3 more places up to 5.5 s"


def test_moment_is_told_once() -> None:
    assert line(Reading(damaged=(DamagedSpan(1.76, 1.8, 1),))) == "1 packet at 1.8 s could not be decoded"


def test_parts_are_counted() -> None:
    parts = (Part("GX010001.MP4", 0.0), Part("GX020001.MP4", 600.0))
    assert line(Reading(parts=parts)) == "2 files read as one recording"
