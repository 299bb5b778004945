"""A corrected analysis as the truth of a comparison, and its corrections for a second analysis of the same video."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.comparison.model import Comparison, Entry
from recognizer.dashboard import server
from recognizer.dashboard.compare import comparison
from recognizer.dashboard.workbench.component import adopt_view
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.settings import Settings
from recognizer.timeline.edits import Merge, Relabel
from recognizer.timeline.model import Timeline
from tests.support.networks import Networks
from tests.support.pages import button, open_page, press_in_fragment, tab, words
from tests.support.workbench import LABELS, generated_timeline, store_analysis

pytestmark = pytest.mark.slow

DURATION_S = 20.0


@dataclass(frozen=True)
class Stored:
    """A corrected analysis, and a comparison of the same video; the classifiers of both are invented."""

    analysis: StoredAnalysis
    comparison_id: str


def entry(timeline: Timeline, classifier: str) -> Entry:
    settings = replace(timeline.settings, video_classifier_model=classifier)
    return Entry("", settings, labels=LABELS, timeline=replace(timeline, settings=settings))


@pytest.fixture
def stored(networks: Networks, tmp_path: Path) -> Stored:
    video = tmp_path / "games.mp4"
    video.write_bytes(b"not a video")
    timeline = generated_timeline(3, DURATION_S)
    analysis = store_analysis(tmp_path / "data", timeline, video)
    server.context().workbench.edit(
        analysis.analysis_id, [Merge(3, 1), Relabel(2, 1.0, 3.0, "juggling balls"), Relabel(1, 19.0, 20.0, "yoga")]
    )
    file = StoredFile(analysis.video_path, "games.mp4", timeline.video.sha256 or "", 11)
    comparison = Comparison((entry(timeline, "i3d"), entry(generated_timeline(3, DURATION_S, seed=2), "s3d")))
    server.context().comparisons.save("ef" * 16, file, comparison)
    return Stored(analysis, "ef" * 16)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def compared(stored: Stored) -> AppTest:
    """Open the comparison in the browser that made the analysis."""
    page = open_page("pages/compare.py", comparison=stored.comparison_id)
    tab(page).history.own["analyses"] = [stored.analysis.analysis_id]
    return run(page)


def offer_of(page: AppTest) -> Any:
    (offer,) = [one for one in page.button if one.label.startswith("Use your corrected analysis of ")]
    return offer


def scored_words(page: AppTest) -> str:
    assert "Against your labels" in [one.value for one in page.subheader]
    return words(page)


def test_corrected_analysis_is_the_truth_at_one_click_from_its_own_page(stored: Stored) -> None:
    page = open_page(run=stored.analysis.analysis_id)
    button(page, "Use as truth in Compare").click()
    page.run()
    assert tab(page).compare.truth_from is not None
    page.switch_page("pages/compare.py")
    run(page)
    assert "Your corrected analysis of games.mp4 becomes the truth of its next comparison" in words(page)
    page.query_params["comparison"] = stored.comparison_id
    run(page)
    run(page)
    text = scored_words(page)
    assert "Your labels: games-corrected.csv" in text
    assert "becomes the truth of its next" not in text
    again = open_page("pages/compare.py", comparison=stored.comparison_id)
    assert "Your labels: games-corrected.csv" in scored_words(again), "stored with the comparison"


def test_comparison_offers_the_corrected_analyses_of_its_video(stored: Stored) -> None:
    page = open_page("pages/compare.py", comparison=stored.comparison_id)
    labels = [one.label for one in page.button]
    assert not [one for one in labels if "corrected" in one], "those of other browsers are not offered"
    tab(page).history.own["analyses"] = [stored.analysis.analysis_id]
    run(page)
    offer_of(page).click()
    run(page)
    scored_words(page)
    truth = tab(page).compare.shown
    assert truth is not None
    assert truth.labels is not None
    rows = {(one.subject, one.action, one.start, one.end) for one in truth.labels.parts[0].labels}
    assert ("2", "juggling balls", 1.0, 3.0) in rows
    assert ("1", "yoga", 19.0, 20.0) in rows
    assert {subject for subject, *_ in rows} == {"1", "2"}, "while both are seen, the one that is kept counts"
    bouts = [
        table.value for table in page.dataframe if "True bouts" in table.value or "Bouts" in str(table.value.columns)
    ]
    assert bouts, "matched bouts are among the scores"


def test_labels_come_and_go_where_only_the_results_are_drawn_again(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a browser runs only the results after these presses, which then drew what there was before."""
    page = compared(stored)
    press_in_fragment(page, offer_of(page), monkeypatch)
    assert "Your labels: games-corrected.csv" in scored_words(page)
    press_in_fragment(page, button(page, "Remove them"), monkeypatch)
    assert "Your labels: games-corrected.csv" not in words(page)
    assert offer_of(page)


def test_corrected_truth_has_the_thresholds_of_a_slider_that_was_left_by_the_press(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the workbench's sliders are heard after the button, so the truth had the thresholds of before."""
    page = compared(stored)
    before = comparison.restore_from_address

    def heard() -> None:
        adopt_view({"minConfidence": 1.0, "minDurationS": 0.0, "showsBrief": False})
        before()

    monkeypatch.setattr(comparison, "restore_from_address", heard)
    offer_of(page).click()
    run(page)
    truth = tab(page).compare.shown
    assert truth is not None
    assert truth.labels is not None
    assert {one.action for one in truth.labels.parts[0].labels} == {"juggling balls", "yoga"}


def test_second_analysis_of_a_video_can_take_over_the_corrections(stored: Stored, tmp_path: Path) -> None:
    first = stored.analysis
    video = tmp_path / "games.mp4"
    again = generated_timeline(3, DURATION_S, seed=3)  # another classifier, the same people
    second = store_analysis(tmp_path / "data", again, video)
    page = take_over(first, second)
    opened = server.context().workbench.opened(second.analysis_id)
    assert opened is not None
    assert len(opened.revision.corrections.edits) == 1, "made as one step"
    assert not [one for one in page.button if one.label.startswith("Take over")]
    assert not page.error


def test_corrections_of_other_people_are_not_taken_over(stored: Stored, tmp_path: Path) -> None:
    others = replace(generated_timeline(3, DURATION_S), settings=Settings(min_person_confidence=0.8))
    page = take_over(stored.analysis, store_analysis(tmp_path / "data", others, tmp_path / "games.mp4"))
    assert "whom this analysis may have given other numbers" in words(page)


def take_over(first: StoredAnalysis, second: StoredAnalysis) -> AppTest:
    second.video_path.unlink()  # it is no video
    page = open_page(run=second.analysis_id)
    tab(page).history.own["analyses"] = [first.analysis_id, second.analysis_id]
    run(page)
    (offer,) = [one for one in page.button if one.label.startswith("Take over the corrections of ")]
    offer.click()
    return run(page)
