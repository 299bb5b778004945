"""The clock of a file from its container to the tables, the annotated copy and a user's own labels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from recognizer.analysis.file import Progress, analyze
from recognizer.analysis.passes import PassStore
from recognizer.annotations.fitting import LabelledVideo, fit_labels
from recognizer.annotations.model import Answers
from recognizer.annotations.reading import read_labels
from recognizer.comparison.matching import fit_truth
from recognizer.drawing.video import render_video
from recognizer.export import segments_csv, timeline_from_json, timeline_json
from recognizer.palette import ActionPalette
from recognizer.plots.time_axis import TimeAxis
from recognizer.settings import Settings
from recognizer.types import Segment
from tests.support.fakes import always, scripted_models
from tests.support.ffmpeg import ffmpeg
from tests.support.runs import LEFT, classifier_of
from tests.support.tables import rows_of

SETTINGS = Settings(num_video_sequence_samples=4, skip_frame=2)
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
LATE = ("-itsoffset", "0.8", "-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=2", "-f", "lavfi", "-i", "sine=d=3")


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A video whose pictures begin 0.8 s after its sound."""
    ffmpeg(*LATE, *H264, "-c:a", "aac", "late.mp4", folder=tmp_path)
    return tmp_path / "late.mp4"


def test_first_row_of_a_late_video_begins_with_its_first_picture(late: Path, tmp_path: Path) -> None:
    store = PassStore(tmp_path / "passes")
    seen: list[Progress] = []
    models = scripted_models(always(LEFT))
    for _ in range(2):  # the second time from the stored pass
        timeline = analyze(late, SETTINGS, models=models, pass_store=store, progress=seen.append)
        row = rows_of(segments_csv(timeline, timeline.segments()))[0]
        assert (row["start_s"], row["start_frame"]) == ("0.800", "0")
        assert timeline.people[0].presence[0] == pytest.approx((0.8, 2.8), abs=1e-6)
        assert timeline.video.frame_count == 50
        assert timeline.video.duration_s == pytest.approx(2.8)
        assert timeline.reading.first_picture_s == pytest.approx(0.8)
        assert timeline_from_json(timeline_json(timeline)).people[0].presence == timeline.people[0].presence
        assert TimeAxis(timeline).end_s == pytest.approx(2.8)
    shares = [one.analysed_s / (one.duration_s or 0) for one in seen]
    assert min(shares) < 0.2
    assert 0.8 < max(shares) <= 1


def test_annotated_copy_of_a_late_video_has_its_times(late: Path, tmp_path: Path) -> None:
    timeline = analyze(late, SETTINGS, models=scripted_models(always(LEFT)))
    render_video(late, timeline, timeline.segments(), ActionPalette(), tmp_path / "copy.mp4")
    with av.open(str(tmp_path / "copy.mp4")) as copy:
        times_s = [frame.time for frame in copy.decode(video=0)]
    assert times_s == pytest.approx(timeline.frame_times_s, abs=1e-4)


def test_labels_made_in_a_player_fit_a_late_video(late: Path) -> None:
    timeline = analyze(late, SETTINGS, models=scripted_models(always(LEFT)))
    labels = read_labels(b"action,start_s,end_s\nwaving,0.8,2.8\n", "labels.csv")
    truth = fit_labels(labels, LabelledVideo.of(timeline, "late.mp4"), Answers())
    fitted = fit_truth(truth, timeline.people)
    assert fitted.unseen_s == pytest.approx(0.0, abs=1e-6)
    assert fitted.segments == (Segment(1, "waving", pytest.approx(0.8), pytest.approx(2.8), 1.0),)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_start_frame_is_the_number_of_the_picture_at_the_printed_time(tmp_path: Path, name: str, rate: str) -> None:
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=96x64:r={rate}:d=4", *H264, name, folder=tmp_path)
    with av.open(str(tmp_path / name)) as container:
        start_s = (container.start_time or 0) / av.time_base
        stamps_s = np.array([frame.time for frame in container.decode(video=0)], np.float64) - start_s
    turns = iter(range(1000))
    says = (("waving", 0.9),), (("jogging", 0.9),)
    models = scripted_models(always(LEFT), lambda _: says[next(turns) % 2])
    timeline = analyze(tmp_path / name, SETTINGS, models=models)
    rows = rows_of(segments_csv(timeline, timeline.segments()))
    assert len(rows) > 5
    for row in rows:
        assert stamps_s[int(row["start_frame"])] == pytest.approx(float(row["start_s"]), abs=1.5e-3)
    assert [row["end_frame"] for row in rows[:-1]] == [row["start_frame"] for row in rows[1:]]
    assert timeline.video.frame_count == len(stamps_s)
    assert rows[-1]["end_frame"] == str(len(stamps_s))


def test_frame_count_and_duration_are_those_of_the_decoded_pictures(tmp_path: Path) -> None:
    for name, offset_s in (("a.ts", "7200"), ("b.ts", "3600")):
        source = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=2")
        ffmpeg(*source, *H264, "-output_ts_offset", offset_s, name, folder=tmp_path)
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    timeline = analyze(both, SETTINGS, models=scripted_models(always(LEFT)))
    assert timeline.video.frame_count == 100
    assert timeline.video.duration_s == pytest.approx(4.0, abs=1e-3)
    assert timeline.people[0].presence == ((0.0, pytest.approx(4.0, abs=1e-3)),)


def test_recording_with_a_pause_is_sampled_as_if_it_had_none(tmp_path: Path) -> None:
    def intervals(*filters: str) -> Sequence[float]:
        ffmpeg("-f", "lavfi", "-i", "testsrc=s=96x64:r=25:d=4", *filters, *H264, "a.mp4", folder=tmp_path)
        timeline = analyze(tmp_path / "a.mp4", SETTINGS, models=(models := scripted_models(always(LEFT))))
        assert timeline.video.frame_rate == Fraction(25)
        assert {samples for *_, samples in classifier_of(models).clips[:-1]} == {4}
        return [float(one) for one in np.diff(timeline.people[0].time_s)]

    paused = intervals("-vf", "setpts='if(lt(T,2),PTS,PTS+60/TB)'", "-fps_mode", "vfr")
    plain = intervals()
    assert sorted(paused)[:-1] == pytest.approx(sorted(plain)[:-1], abs=1e-6)
    assert max(paused) == pytest.approx(60.08, abs=1e-3)
