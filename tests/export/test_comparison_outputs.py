"""Outputs of a comparison: lanes, confusion matrix, report, the frames shown to networks, the database's copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from sqlalchemy import update

from recognizer import export, plots
from recognizer.analysis.compare import compare
from recognizer.analysis.file import analyze
from recognizer.analysis.passes import PassStore
from recognizer.analysis.shown import frames_seen, prediction_at
from recognizer.annotations.model import EVERYONE, Answers, Truth, TruthRow
from recognizer.comparison.model import Comparison
from recognizer.comparison.scoring import score, score_lanes
from recognizer.errors import StoreError
from recognizer.export.report import comparison_report
from recognizer.networks.loading import Models
from recognizer.palette import ActionPalette
from recognizer.plots.lanes import AGREEMENT_LANE, TRUTH_LANE
from recognizer.service import tables
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.settings import Settings
from recognizer.types import Clip, Detection, Segment
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, numbered_video, person

SETTINGS = (
    Settings(video_classifier_model="i3d", num_video_sequence_samples=8),
    Settings(video_classifier_model="mc3_18", num_video_sequence_samples=24, crop_margin_percentage=40),
)
TRUTH = Truth(
    "mine.csv",
    (TruthRow("row 2", None, "waving", 0, 1), TruthRow("row 3", None, "<i>resting</i>", 1, 2)),
)
ANSWERS = Answers("one", {"Anna": 1, "gestures": EVERYONE}, ("waving", "resting"), 3600.5)


def load(settings: Settings) -> Models:
    def says(clip: Clip) -> tuple[tuple[str, float], ...]:
        late = settings.video_classifier_model == "i3d" and clip.start_s > 0.9
        return (("jogging", 0.7), ("waving", 0.2)) if late else (("waving", 0.6), ("jogging", 0.3))

    classifier = ScriptedClassifier(says)
    classifier.name = settings.video_classifier_model
    return Models(ScriptedDetector(always(person())), classifier, {"detector_sha256": "0" * 64})


@pytest.fixture
def video(make_video: Callable[..., Path]) -> Path:
    return numbered_video(make_video, 60)


@pytest.fixture
def crops(tmp_path: Path) -> PassStore:
    return PassStore(tmp_path / "crops")


@pytest.fixture
def comparison(video: Path, crops: PassStore) -> Comparison:
    return compare(video, SETTINGS, load=load, pass_store=crops)


def names_of_bars(figure: object) -> list[str]:
    return [bar.name for bar in figure.data]  # type: ignore[attr-defined]


def test_lanes_are_stacked_with_the_truth_on_top_and_the_agreement_below(comparison: Comparison) -> None:
    lanes = comparison.lanes()
    palette = ActionPalette()
    scored = score_lanes(lanes, TRUTH)
    figure = go.Figure(plots.classifier_lanes(lanes, 1, palette, truth=scored.truth))
    assert list(figure.layout.yaxis.categoryarray) == [TRUTH_LANE, "i3d", "mc3_18", AGREEMENT_LANE]
    assert figure.layout.yaxis.range == (3.5, -0.5)
    assert names_of_bars(figure)[0] == "present"
    agree, differ = figure.data[-2:]
    assert (agree.name, differ.name) == ("agree", "differ")
    agreed_s, differing_s = sum(agree.x), sum(differ.x)
    found = export.agreement_table(lanes, [1])
    assert found["Agree (%)"].iloc[0] == pytest.approx(100 * agreed_s / (agreed_s + differing_s), abs=0.1)
    waving = next(bar for bar in figure.data if bar.name == "waving")
    assert waving.marker.color == palette.style("waving").colour(dark=False)
    assert {"i3d", "mc3_18", TRUTH_LANE} == set(waving.y)


def test_a_long_name_keeps_its_ends_and_its_lane(comparison: Comparison) -> None:
    entry = comparison.entries[0]
    lane = Comparison((entry,)).lanes()[0]
    object.__setattr__(entry, "name", "mc3_18:a_very_long_checkpoint_name, 32 samples")
    figure = go.Figure(plots.classifier_lanes([lane], 1, ActionPalette()))
    assert list(figure.layout.yaxis.tickvals) == [entry.name]
    assert list(figure.layout.yaxis.ticktext) == ["mc3_18:a…samples"]


def test_confusion_matrix_groups_rare_labels_and_loses_no_time() -> None:
    truth = [Segment(1, "yoga", 0, 40, 1.0)]
    said = [Segment(1, "yoga", 0, 10, 1.0)]
    said += [Segment(1, f"label {k:02}", 10 + k, 11 + k, 1.0) for k in range(29)]
    figure = go.Figure(plots.confusion_matrix(score(truth, said)))
    (heat,) = figure.data
    assert figure.layout.xaxis.ticktext[0] == "yoga"
    assert figure.layout.xaxis.ticktext[-1] == "other labels"
    assert len(heat.z[0]) == 13
    assert sum(heat.z[0]) == pytest.approx(1)
    assert sum(float(cell or 0) for cell in heat.text[0]) == pytest.approx(40)


def test_bouts_are_in_table_and_report(comparison: Comparison) -> None:
    scored = score_lanes(comparison.lanes(), TRUTH)
    for name, one in scored.scores:
        table = export.bouts_table(one).set_index("Action")
        assert table["Bouts in your labels"].sum() == len(scored.truth)
        lane = next(lane for lane in comparison.lanes() if lane.name == name)
        for match in (match for bouts in one.bouts for match in bouts.matches):
            assert match.truth in scored.truth
            assert match.predicted in lane.segments
    assert any(bouts.matches for _, one in scored.scores for bouts in one.bouts)
    assert "Onset error (s)" in comparison_report(comparison, "a.mp4", ActionPalette(), scored=scored)


def test_report_contains_everything_and_escapes_labels(comparison: Comparison) -> None:
    scored = score_lanes(comparison.lanes(), TRUTH)
    report = comparison_report(comparison, "<b>my</b> clip.mp4", ActionPalette(), scored=scored)
    outside_scripts = "".join(part.partition("</script>")[2] or part for part in report.split("<script"))
    assert "&lt;b&gt;my&lt;/b&gt; clip.mp4" in outside_scripts
    assert "<i>resting</i>" not in outside_scripts
    for heading in (
        "Who does what, when",
        "Agreement",
        "Where they differ",
        "Against your labels",
        "Cost of each classifier",
    ):
        assert f"<h2>{heading}</h2>" in report
    assert report.count("plotly.js v") == 1


def test_no_chart_of_the_report_offers_plotlys_cloud(comparison: Comparison) -> None:
    report = comparison_report(comparison, "clip.mp4", ActionPalette())
    charts = report.count("Plotly.newPlot(")
    assert charts >= 1
    assert report.count('"showSendToCloud": false') == charts
    assert report.count('"modeBarButtonsToRemove": ["sendChartToCloud"]') == charts


def test_cost_table_has_gaps_where_one_did_not_run(comparison: Comparison) -> None:
    table = export.cost_table(comparison)
    assert table["Classifier"].tolist() == ["i3d", "mc3_18"]
    assert table["Parameters (M)"].notna().all()
    assert "GPU memory (MB)" not in table.columns or table["GPU memory (MB)"].notna().any()
    broken = Comparison((*comparison.entries[:1], type(comparison.entries[1])("s3d", SETTINGS[1], problem="no.")))
    table = export.cost_table(broken)
    assert pd.isna(table["ms per clip"].iloc[1])
    assert table["Clips"].iloc[0] == comparison.entries[0].cost.clips  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [0, 1])
def test_what_a_network_was_shown_is_the_same_from_the_record_and_from_the_video(
    comparison: Comparison, video: Path, crops: PassStore, tmp_path: Path, number: int
) -> None:
    timeline = comparison.entries[number].timeline
    assert timeline is not None
    prediction = prediction_at(timeline, 1, 1.0)
    assert prediction is not None
    kept = frames_seen(timeline, prediction, tmp_path / "nowhere.mp4", crops)
    again = frames_seen(timeline, prediction, video, PassStore(tmp_path / "other"))
    # mc3_18 takes 16 frames of the 24 samples, i3d shows all 8 twice
    assert [len(kept), len(again)] == [[8, 8], [16, 16]][number]
    for one, other in zip(kept, again, strict=True):
        assert one.time_s == other.time_s
        np.testing.assert_array_equal(one.rgb, other.rgb)
    assert prediction.start_s <= kept[0].time_s < kept[-1].time_s < prediction.end_s


@pytest.mark.parametrize("others", [(), (person((20, 4, 40, 44)),)], ids=["alone", "beside another"])
def test_the_surroundings_that_a_network_was_shown_are_shown_as_it_saw_them(
    video: Path, tmp_path: Path, others: tuple[Detection, ...]
) -> None:
    crops = PassStore(tmp_path / "kept")
    shown: list[Clip] = []

    def says(clip: Clip) -> tuple[tuple[str, float], ...]:
        shown.append(clip)
        return (("waving", 0.6),)

    settings = Settings(video_classifier_model="i3d", surroundings=True, steady_crop=True)
    detector = ScriptedDetector(always(person(), *others))
    models = Models(detector, ScriptedClassifier(says), {"detector_sha256": "0" * 64})
    timeline = analyze(video, settings, models=models, pass_store=crops)
    assert len(timeline.people) == 1 + len(others)
    prediction = prediction_at(timeline, 1, 1.0)
    assert prediction is not None
    (clip,) = (one for one in shown if (one.person_id, one.start_s) == (1, prediction.start_s))
    assert clip.surroundings_rgb is not None
    for store in (crops, PassStore(tmp_path / "other")):
        frames = frames_seen(timeline, prediction, video, store)
        np.testing.assert_array_equal([frame.rgb for frame in frames], clip.rgb)
        around = np.stack([rgb for frame in frames if (rgb := frame.surroundings_rgb) is not None])
        np.testing.assert_array_equal(around[:, :, ::-1], clip.surroundings_rgb)


def test_prediction_at_a_moment_is_the_nearest_or_none(comparison: Comparison) -> None:
    timeline = comparison.entries[0].timeline
    assert timeline is not None
    assert prediction_at(timeline, 1, 99.0) is None
    assert prediction_at(timeline, 2, 1.0) is None
    for prediction in timeline.predictions:
        assert prediction_at(timeline, 1, (prediction.start_s + prediction.end_s) / 2) == prediction


def test_a_stored_comparison_comes_back_unchanged(comparison: Comparison, video: Path, tmp_path: Path) -> None:
    store = ComparisonStore(AnalysisStore(tmp_path / "data"))
    file = StoredFile(video, "clip.mkv", "a" * 64, video.stat().st_size)
    store.save("one", file, Comparison(comparison.entries[:1]))
    store.save_truth("one", "mine.csv", b"action,start_s,end_s\nwaving,0,1\n")
    store.save_answers("one", ANSWERS)
    store.save("one", file, comparison)
    found = store.load("one")
    assert found is not None
    assert found.labels is not None
    assert found.labels.parts[0].labels[0].action == "waving"
    assert found.answers == ANSWERS
    assert found.video.name == "clip.mkv"
    for one, other in zip(found.comparison.entries, comparison.entries, strict=True):
        assert (one.name, one.settings, one.labels, one.cost) == (other.name, other.settings, other.labels, other.cost)
        assert one.timeline is not None
        assert other.timeline is not None
        assert one.timeline.predictions == other.timeline.predictions
    store.save_truth("one", None, None)
    again = store.load("one")
    assert again is not None
    assert again.labels is None
    assert again.answers == Answers()
    assert store.load("two") is None


def test_a_damaged_comparison_is_reported_in_one_sentence(comparison: Comparison, video: Path, tmp_path: Path) -> None:
    data = AnalysisStore(tmp_path / "data")
    store = ComparisonStore(data)
    store.save("one", StoredFile(video, "clip.mkv", "a" * 64, 1), comparison)
    with data.database.transaction("damage") as connection:
        connection.execute(update(tables.comparison).values(entries=b"\0"))
    with pytest.raises(StoreError, match=r"^the stored comparison of 'clip\.mkv' cannot be read; compare"):
        store.load("one")
