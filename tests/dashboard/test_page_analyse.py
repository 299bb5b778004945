"""The page "Analyse a video", run by Streamlit's AppTest with stand-ins for the networks and for their weights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer import weights
from recognizer.dashboard import server as server_module
from recognizer.dashboard.state import CurrentVideo, Tab
from recognizer.errors import WeightsError
from recognizer.networks import loading as models_module
from recognizer.settings import (
    CLASSIFIER_NAMES,
    DETECTOR_NAMES,
    DEVICE_NAMES,
    RANGES,
    TRACKER_NAMES,
    Settings,
    recommended,
)
from recognizer.types import Clip
from tests.support.environment import APP
from tests.support.fakes import (
    Script,
    ScriptedClassifier,
    ScriptedDetector,
    always,
    chart_messages,
    charts,
    numbered_video,
    open_table,
    person,
)

WAIT_S = 30.0
EARLIER = "Open an earlier analysis"

TITLES = {
    "Crop margin": "crop_margin_percentage",
    "Sequence length": "num_video_sequence_samples",
    "Steady crop": "steady_crop",
    "Surroundings": "surroundings",
    "Calibrated confidence": "calibrated",
    "Smoothing": "smoothing_s",
    "Skip interval": "skip_frame",
    "Detector confidence": "min_person_confidence",
    "Overlap": "overlap",
    "Classifier": "video_classifier_model",
    "Detector": "model",
    "Tracker": "tracker",
    "Device": "device",
}


class Networks:
    """What the stand-ins do; a test changes it before it runs the page."""

    def __init__(self) -> None:
        self.script: Script = always(person())
        self.says: Callable[[Clip], tuple[tuple[str, float], ...]] = lambda _: (("waving", 0.6), ("jogging", 0.3))
        self.missing: set[str] = set()
        self.classified = 0
        self.warmed: list[int] = []
        self.analysed_with: list[Settings] = []
        self.hold: threading.Event | None = None
        self.reached = threading.Event()
        self.checkpoint_loader: Callable[..., Any] = models_module.load_clip_classifier

    def resolve(self, name: str, *, progress: Any = None) -> Path:
        if name in self.missing:
            raise WeightsError(f"the weights of {name} cannot be had; put {name}.bin into the folder.")
        return Path(name)

    def load_detector(self, settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        return _Detector(self), {"detector_sha256": "0" * 64}

    def load_clip_classifier(self, settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        if settings.checkpoint_path is not None:
            return self.checkpoint_loader(settings, progress)  # type: ignore[no-any-return]
        return _Classifier(self), {"classifier": settings.video_classifier_model}


class _Detector:
    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def detect(self, frames_rgb: Any) -> Any:
        return ScriptedDetector(self._networks.script).detect(frames_rgb)


class _Classifier(ScriptedClassifier):
    def __init__(self, networks: Networks) -> None:
        super().__init__(lambda clip: networks.says(clip))
        self._networks = networks

    def classify(self, clips: Any) -> Any:
        if self._networks.hold is not None and clips:
            self._networks.reached.set()
            assert self._networks.hold.wait(WAIT_S)
        self._networks.classified += len(clips)
        return super().classify(clips)

    def warm_up(self, samples: int) -> None:
        self._networks.warmed.append(samples)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Networks]:
    fake = Networks()
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "resolve", fake.resolve)
    monkeypatch.setattr(weights, "is_here", lambda name: name not in fake.missing)
    monkeypatch.setattr(models_module, "load_detector", fake.load_detector)
    monkeypatch.setattr(models_module, "load_clip_classifier", fake.load_clip_classifier)
    shared = (server_module.context, server_module.palette, server_module.readiness)
    for cached in shared:
        cached.clear()
    yield fake
    if fake.hold is not None:
        fake.hold.set()
    for cached in shared:
        cached.clear()


@pytest.fixture
def page(networks: Networks) -> AppTest:
    """With the documented settings: their clips are short, and so are the tests' videos."""
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    assert not at.exception
    choose_preset(at, "documented")
    return at


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    return make_video("clip.mp4", frames=60, fps=30)


def tab(at: AppTest) -> Tab:
    state: Tab = at.session_state["tab"]
    return state


def choose_preset(at: AppTest, preset: str) -> None:
    tab(at).preset = preset  # as the control's callback does
    at.run()
    assert not at.exception


def current_video(at: AppTest) -> CurrentVideo:
    video = tab(at).video
    assert video is not None
    return video


def words(at: AppTest) -> str:
    """Everything that is written on the page, without what keeps it from being Markdown."""
    parts = (at.title, at.header, at.subheader, at.markdown, at.caption, at.text, at.info, at.warning, at.error)
    return "\n".join(str(one.value) for kind in parts for one in kind).replace("\\", "").replace("\u2060", "")


def button(at: AppTest, label: str) -> Any:
    found = [one for one in at.button if one.label == label]
    assert len(found) == 1, f"{len(found)} buttons {label!r} among {[one.label for one in at.button]}"
    return found[0]


def has_button(at: AppTest, label: str) -> bool:
    return any(one.label == label for one in at.button)


def widget(at: AppTest, label: str) -> Any:
    found = [one for kind in (at.selectbox, at.slider, at.toggle) for one in kind if one.label == label]
    assert len(found) == 1, label
    return found[0]


def uploader(at: AppTest, label: str) -> Any:
    found = [one for one in at.file_uploader if one.label.startswith(label)]
    assert len(found) == 1, [one.label for one in at.file_uploader]
    return found[0]


def upload_video(at: AppTest, path: Path, name: str | None = None) -> None:
    uploader(at, "Drop in").upload(name or path.name, path.read_bytes(), "video/mp4")
    at.run()
    assert not at.exception


def start(at: AppTest) -> None:
    button(at, "Analyse").click()
    at.run()
    assert not at.exception


def settle(at: AppTest) -> None:
    """Do what the page's polling does: look again when the background work has ended."""
    for _ in range(20):
        now = tab(at)
        jobs = [now.analysis, now.rendering.job if now.rendering else None, now.video.preview if now.video else None]
        pending = [job for job in jobs if job is not None and not job.finished]
        for job in pending:
            assert job.wait(WAIT_S)
        at.run()
        assert not at.exception
        if not pending and tab(at).analysis is None:
            return
    raise AssertionError("the page did not settle")


def analyse(at: AppTest) -> None:
    start(at)
    settle(at)


def test_page_without_video_says_what_to_do_and_offers_a_sample(page: AppTest) -> None:
    assert page.title[0].value == "Who does what, when"
    assert "Drop in a video" in words(page)
    assert uploader(page, "Drop in a video").help
    assert has_button(page, "Try a sample")
    assert not has_button(page, "Analyse")
    assert not page.error
    assert not page.subheader


def test_every_setting_has_a_help_text_in_plain_words(page: AppTest) -> None:
    for title in TITLES:
        assert len(widget(page, title).help.split()) > 8, title
    for at_uploader in page.file_uploader:
        assert at_uploader.help


def test_settings_offer_what_is_allowed_and_start_with_the_documented_defaults(page: AppTest) -> None:
    for title, name in TITLES.items():
        shown = widget(page, title)
        assert shown.value == getattr(Settings(), name), title
        if name in RANGES:
            assert (shown.min, shown.max) == tuple(RANGES[name]), title
    assert len(widget(page, "Classifier").options) == len(CLASSIFIER_NAMES)
    assert len(widget(page, "Detector").options) == len(DETECTOR_NAMES)
    assert len(widget(page, "Tracker").options) == len(TRACKER_NAMES)
    assert len(widget(page, "Device").options) == len(DEVICE_NAMES)


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Classifier", "swin3d_t"),
        ("Crop margin", 35),
        ("Sequence length", 64),
        ("Skip interval", 30),
        ("Detector", "yolo26x.pt"),
        ("Detector confidence", 0.05),
        ("Tracker", "ocsort"),
        ("Overlap", 0.9),
        ("Device", "cpu"),
        ("Steady crop", True),
        ("Surroundings", True),
        ("Calibrated confidence", True),
        ("Smoothing", 2.5),
    ],
)
def test_widget_sets_its_own_setting_and_no_other(page: AppTest, title: str, value: object) -> None:
    before = tab(page).settings
    assert before is not None
    widget(page, title).set_value(value)
    page.run()
    assert not page.exception
    after = tab(page).settings
    assert after is not None
    changed = {
        name: new
        for (name, new), old in zip(after.as_dict().items(), before.as_dict().values(), strict=True)
        if new != old
    }
    assert changed == {TITLES[title]: value}


def test_line_tells_how_long_a_clip_is_in_this_video(page: AppTest, make_video: Callable[..., Path]) -> None:
    assert "One clip spans **0.53 s** at 30 frames/s" in words(page)
    assert "first label comes 0.53 s" in words(page)
    upload_video(page, make_video("slow.mp4", frames=20, fps=10))
    assert "One clip spans **1.60 s**" in words(page)


def test_short_clips_are_warned_of(page: AppTest) -> None:
    assert "Most actions need a second or more" in words(page)
    choose_preset(page, "recommended")
    assert "Most actions need a second or more" not in words(page)


def test_the_page_starts_with_what_is_recommended_and_says_what_that_is(networks: Networks) -> None:
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    assert tab(at).settings == recommended(Settings(video_classifier_model="s3d"))
    assert "Two seconds of each person" in words(at)
    assert widget(at, "Sequence length").value == 32


def test_recommended_follows_the_frame_rate_of_the_video_and_the_classifier(
    networks: Networks, make_video: Callable[..., Path]
) -> None:
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    upload_video(at, make_video("slow.mp4", frames=20, fps=10))
    assert (widget(at, "Skip interval").value, widget(at, "Sequence length").value) == (1, 21)
    widget(at, "Classifier").set_value("mvit_v2_s")
    at.run()
    assert widget(at, "Sequence length").value == 21
    assert tab(at).preset == "recommended"


def test_a_setting_that_is_moved_makes_them_ones_own_and_a_preset_puts_it_back(page: AppTest) -> None:
    widget(page, "Overlap").set_value(0.75)
    page.run()
    assert tab(page).preset == "custom"
    assert tab(page).settings == Settings(overlap=0.75)
    widget(page, "Tracker").set_value("ocsort")
    page.run()
    choose_preset(page, "documented")
    assert tab(page).settings == Settings(tracker="ocsort")


def test_browser_that_has_not_heard_of_ones_own_settings_does_not_bring_the_preset_back(page: AppTest) -> None:
    """Regression: Analyse was pressed right after a slider, and the analysis went by the preset."""

    def control() -> Any:
        (found,) = [one for one in page.segmented_control if one.label == "Preset"]
        return found

    choose_preset(page, "documented")
    old = control()
    widget(page, "Sequence length").set_value(16)
    page.run()
    assert control().value is None
    assert control().id != old.id, "what the browser says of the old one is said of nothing now"
    page.run()
    assert tab(page).settings == Settings(num_video_sequence_samples=16)


def test_network_that_is_not_here_is_marked_as_to_be_fetched(page: AppTest, networks: Networks) -> None:
    networks.missing |= {"swin3d_b", "yolo26x.pt"}
    page.run()
    marked = [text for text in widget(page, "Classifier").options if "to be fetched" in text]
    assert len(marked) == 1
    assert [text for text in widget(page, "Detector").options if "to be fetched" in text] == ["YOLO26X · to be fetched"]


def test_dropped_video_is_shown_with_its_facts_and_can_be_analysed(page: AppTest, clip: Path) -> None:
    upload_video(page, clip, "my clip.mp4")
    assert "my clip.mp4" in words(page)
    assert "64 × 48" in words(page)
    assert "30 frames/s" in words(page)
    assert "2.0 s" in words(page)
    assert "H.264" in words(page)
    assert has_button(page, "Analyse")
    assert not page.error
    assert Path(current_video(page).file.path).read_bytes() == clip.read_bytes()


def test_codec_that_browsers_do_not_play_gets_a_copy_that_they_do(
    page: AppTest, make_video: Callable[..., Path]
) -> None:
    upload_video(page, make_video("old.avi", frames=30, codec="mjpeg", pix_fmt="yuvj420p"))
    settle(page)
    video = current_video(page)
    assert not video.playable
    assert video.preview is not None
    assert video.preview.error is None
    assert video.preview.result is not None
    assert video.preview.result.is_file()
    assert "Browsers do not play this file" in words(page)


def test_analysis_gives_timeline_tables_downloads_and_annotated_video(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    assert [one.value for one in page.subheader] == ["Timeline"]
    assert "1 person" in words(page)
    assert [one.label for one in page.tabs] == ["Who appeared when", "Time per action", "All segments"]
    assert [one.label for one in page.download_button] == [
        "Timeline as CSV",
        "Everything as JSON",
        "Annotated video (MP4)",
    ]
    assert [list(table.value["Person"]) for table in page.dataframe] == [[1]]
    assert list(open_table(page, "Time per action")["Action"]) == ["waving"]
    assert list(open_table(page, "All segments")["Action"]) == ["waving"]
    rendering = tab(page).rendering
    assert rendering is not None
    assert rendering.job.error is None
    assert rendering.job.result is not None
    assert rendering.job.result.stat().st_size > 0
    run = tab(page).run
    assert run is not None
    assert page.query_params["run"] in (run.run_id, [run.run_id])


def test_chosen_settings_are_those_of_the_analysis(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    chosen: dict[str, object] = {
        "Classifier": "i3d",
        "Crop margin": 25,
        "Sequence length": 4,
        "Skip interval": 3,
        "Detector confidence": 0.6,
        "Overlap": 0.5,
        "Tracker": "ocsort",
    }
    for title, value in chosen.items():
        widget(page, title).set_value(value)
    page.run()
    analyse(page)
    run = tab(page).run
    assert run is not None
    for title, value in chosen.items():
        assert getattr(run.timeline.settings, TITLES[title]) == value


def test_sliders_change_the_segments_without_a_network_or_a_new_analysis(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    upload_video(page, clip)
    analyse(page)
    open_table(page, "Time per action")
    run, classified = tab(page).run, networks.classified
    before = chart_messages(page)
    assert [chart["label"].split(":")[0] for chart in charts(page)] == ["Timeline", "Time per action"]
    widget(page, "Minimum confidence").set_value(0.65)
    page.run()
    assert list(page.dataframe[-1].value["Action"]) == ["unknown"]
    after = chart_messages(page)
    assert after.keys() == before.keys(), "the charts stay, and so does a zoom"
    assert all(after[one] != before[one] for one in after)
    widget(page, "Minimum confidence").set_value(0.0)
    widget(page, "Minimum duration").set_value(10.0)
    page.run()
    assert list(page.dataframe[-1].value["Action"]) == ["unknown"]
    assert tab(page).run is run
    assert networks.classified == classified > 0
    assert has_button(page, "Draw it again with these thresholds")
    first = tab(page).rendering
    button(page, "Draw it again with these thresholds").click()
    page.run()
    settle(page)
    second = tab(page).rendering
    assert first is not None
    assert second is not None
    assert first.job.result != second.job.result


def test_another_classifier_does_not_detect_again(page: AppTest, clip: Path, networks: Networks) -> None:
    upload_video(page, clip)
    analyse(page)

    def script(number: int) -> Any:
        raise AssertionError("the detector ran again")

    networks.script = script
    widget(page, "Classifier").set_value("i3d")
    page.run()
    analyse(page)
    run = tab(page).run
    assert run is not None
    assert not page.error
    assert run.timeline.settings.video_classifier_model == "i3d"
    assert run.timeline.predictions


def test_video_without_people_is_told_kindly(page: AppTest, clip: Path, networks: Networks) -> None:
    networks.script = always()
    upload_video(page, clip)
    analyse(page)
    assert "Nobody was found in this video" in words(page)
    assert not page.error
    assert not page.tabs
    assert not page.download_button
    assert has_button(page, "Analyse")


def test_who_was_there_for_a_moment_is_folded_away_and_can_be_shown(
    page: AppTest, make_video: Callable[..., Path], networks: Networks
) -> None:
    networks.script = lambda number: (person(), *((person((40, 8, 56, 40)),) if number < 20 else ()))
    networks.says = lambda _: (("waving", 0.9),)
    upload_video(page, numbered_video(make_video, 60), "numbered.mkv")
    widget(page, "Sequence length").set_value(8)
    page.run()
    analyse(page)
    assert "1 person and 1 seen for under 1 s" in words(page)
    toggle = widget(page, "Show 1 person seen for under 1 s")
    assert shown_people(page) == {1}
    toggle.set_value(True)
    page.run()
    assert not page.exception
    assert shown_people(page) == {1, 2}
    run = tab(page).run
    assert run is not None
    assert [track.person_id for track in run.timeline.people] == [1, 2], "the downloads have everyone"


def shown_people(at: AppTest) -> set[int]:
    """In all tables together."""
    return {int(number) for table in at.dataframe for number in table.value["Person"]}


def test_where_nobody_was_there_for_a_moment_there_is_no_such_control(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    assert not [one for one in page.toggle if one.label.startswith("Show")]
    assert "seen for under" not in words(page)


def test_stay_too_short_for_a_clip_is_told_with_both_lengths(page: AppTest, clip: Path, networks: Networks) -> None:
    networks.script = always(person())
    upload_video(page, clip)
    widget(page, "Sequence length").set_value(64)
    page.run()
    analyse(page)
    run = tab(page).run
    assert run is not None
    assert not run.timeline.predictions
    assert "that takes 2.13 s" in words(page)
    assert "longest stay is 2.00 s" in words(page)
    assert "Who appeared when" in [one.label for one in page.tabs]
    assert not page.error


def test_wrong_file_is_told_in_one_sentence_and_what_was_there_stays(page: AppTest, clip: Path, tmp_path: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).run
    for name, content in (
        ("letter.mp4", b"Dear all, " * 50),
        ("nothing.mp4", b""),
        ("list.mp4", b"#EXTM3U\n/etc/passwd\n"),
    ):
        wrong = tmp_path / f"wrong-{name}"
        wrong.write_bytes(content)
        upload_video(page, wrong, name)
        assert len(page.error) == 1
        told = page.error[0].value.replace("\\", "")
        assert name in told
        assert told.endswith(".")
        assert "\n" not in told
        assert tab(page).run is run
        assert current_video(page).file.name == "clip.mp4"
        assert "Timeline" in [one.value for one in page.subheader]
    upload_video(page, clip, "good again.mp4")
    assert not page.error
    assert "good again.mp4" in words(page)


def test_name_with_html_is_shown_letter_by_letter(page: AppTest, clip: Path) -> None:
    name = "<img src=x onerror=alert(1)>**b** [l](http://example.com).mp4"
    upload_video(page, clip, name)
    analyse(page)
    shown = [one for kind in (page.markdown, page.caption) for one in kind if "onerror" in one.value]
    assert len(shown) >= 2
    for one in shown:
        assert "\\<img" in one.value
        assert not one.allow_html
    assert name in words(page)


def test_failed_analysis_says_why_and_the_earlier_one_stays(page: AppTest, clip: Path, networks: Networks) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).run
    assert run is not None

    def refuse(settings: Settings, progress: Any = None) -> Any:
        raise WeightsError("the weights of r3d_18 cannot be had; put them into the folder.")

    widget(page, "Classifier").set_value("r3d_18")
    page.run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models_module, "load_clip_classifier", refuse)
        analyse(page)
    assert [one.value.replace("\\", "") for one in page.error] == [
        "The weights of r3d_18 cannot be had; put them into the folder."
    ]
    assert tab(page).run is run
    assert page.query_params["run"] in (run.run_id, [run.run_id])
    assert "Timeline" in [one.value for one in page.subheader]
    analyse(page)
    assert not page.error
    assert tab(page).run is not run


def test_bug_in_an_analysis_shows_no_traceback(page: AppTest, clip: Path, networks: Networks) -> None:
    def broken(_: Clip) -> Any:
        raise KeyError("the secret detail")

    networks.says = broken
    upload_video(page, clip)
    analyse(page)
    assert len(page.error) == 1
    assert "secret detail" not in page.error[0].value
    assert "log" in page.error[0].value
    assert not page.exception


def test_running_analysis_shows_progress_and_cancel_and_no_second_analyse(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    networks.hold = threading.Event()
    upload_video(page, clip)
    start(page)
    assert networks.reached.wait(WAIT_S)
    page.run()
    assert not has_button(page, "Analyse")
    button(page, "Cancel").click()
    page.run()
    assert not page.exception
    job = tab(page).analysis
    assert job is not None
    assert job.cancelled
    networks.hold.set()
    settle(page)
    run = tab(page).run
    assert run is not None
    assert not run.timeline.complete
    assert "before it was cancelled" in words(page)
    assert has_button(page, "Analyse")
    networks.hold = None
    analyse(page)
    again = tab(page).run
    assert again is not None
    assert again.timeline.complete


def test_cancelling_before_anything_was_seen_does_not_claim_that_nobody_is_there(
    page: AppTest, clip: Path, networks: Networks
) -> None:
    loading, go_on = threading.Event(), threading.Event()
    original = networks.load_detector

    def slow(settings: Settings, progress: Any = None) -> Any:
        loading.set()
        assert go_on.wait(WAIT_S)
        return original(settings, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models_module, "load_detector", slow)
        upload_video(page, clip)
        start(page)
        assert loading.wait(WAIT_S)
        page.run()
        button(page, "Cancel").click()
        page.run()
        assert not page.exception
        go_on.set()
        settle(page)
    assert "Nobody was found in this video" not in words(page)
    assert "cancelled" in words(page)
    assert has_button(page, "Analyse")


def test_result_is_there_again_after_a_refresh(page: AppTest, clip: Path) -> None:
    widget(page, "Sequence length").set_value(4)
    upload_video(page, clip, "dance.mp4")
    analyse(page)
    run = tab(page).run
    assert run is not None
    fresh = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    fresh.query_params["run"] = run.run_id
    fresh.run()
    settle(fresh)
    again = tab(fresh).run
    assert again is not None
    assert again.run_id == run.run_id
    assert again.timeline.predictions == run.timeline.predictions
    assert widget(fresh, "Sequence length").value == 4
    assert current_video(fresh).file.name == "dance.mp4"
    assert not fresh.error


def test_address_names_the_analysis_again_after_another_page_was_visited(page: AppTest, clip: Path) -> None:
    """Regression: back from another page the result was shown, but a refresh lost it."""
    upload_video(page, clip)
    analyse(page)
    run = tab(page).run
    assert run is not None
    del page.query_params["run"]  # as Streamlit does on the way
    page.run()
    assert run.run_id in page.query_params["run"]


def test_earlier_analysis_of_this_browser_can_be_opened_again(page: AppTest, make_video: Callable[..., Path]) -> None:
    runs = {}
    for name in ("dance.mp4", "walk.mp4"):
        upload_video(page, make_video(name, frames=60, fps=30), name)
        analyse(page)
        run = tab(page).run
        assert run is not None
        runs[name] = run.run_id
    assert not [one for one in page.selectbox if one.label == EARLIER]  # what the browser does not remember
    tab(page).own["analyses"] = [*runs.values(), "gone"]  # as it says where it does
    page.run()
    choice = widget(page, EARLIER)
    assert len(choice.options) == 1  # not the one that is shown
    assert choice.options[0].startswith("dance.mp4, ")
    choice.select_index(0)
    page.run()
    settle(page)
    shown = tab(page).run
    assert shown is not None
    assert shown.run_id == runs["dance.mp4"]
    assert shown.run_id in page.query_params["run"]
    assert current_video(page).file.name == "dance.mp4"
    choice = widget(page, EARLIER)
    assert choice.value is None
    assert choice.options[0].startswith("walk.mp4, ")


def test_running_analysis_is_followed_again_after_a_refresh(page: AppTest, clip: Path, networks: Networks) -> None:
    networks.hold = threading.Event()
    widget(page, "Sequence length").set_value(4)
    upload_video(page, clip)
    start(page)
    assert networks.reached.wait(WAIT_S)
    job = tab(page).analysis
    assert job is not None
    fresh = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    fresh.query_params["run"] = job.job_id
    fresh.run()
    assert tab(fresh).analysis is job
    assert has_button(fresh, "Cancel")
    networks.hold.set()
    settle(fresh)
    run = tab(fresh).run
    assert run is not None
    assert run.run_id == job.job_id
    assert run.timeline.complete


@pytest.mark.parametrize(
    "run_id", ["unknown", "../../etc/passwd", "<script>alert(1)</script>", "'; DROP TABLE run; --"]
)
def test_address_of_an_unknown_analysis_is_told_in_one_sentence(networks: Networks, run_id: str) -> None:
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.query_params["run"] = run_id
    at.run()
    assert not at.exception
    assert [one.value.replace("\\", "") for one in at.error] == [
        "The analysis in the address is not on this machine; drop the video in and analyse it again."
    ]
    assert "run" not in at.query_params
    assert uploader(at, "Drop in a video")


def test_two_tabs_do_not_mix(page: AppTest, make_video: Callable[..., Path], networks: Networks) -> None:
    other = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    other.run()
    upload_video(page, make_video("one.mp4", frames=60))
    assert tab(other).video is None
    upload_video(other, make_video("two.mp4", frames=40))
    widget(page, "Crop margin").set_value(60)
    page.run()
    other.run()
    assert widget(other, "Crop margin").value == Settings().crop_margin_percentage
    start(page)
    start(other)
    settle(page)
    settle(other)
    one, two = tab(page).run, tab(other).run
    assert one is not None
    assert two is not None
    assert (one.video_name, two.video_name) == ("one.mp4", "two.mp4")
    assert one.timeline.analysed_s == pytest.approx(2.0, abs=0.05)
    assert two.timeline.analysed_s == pytest.approx(40 / 30, abs=0.05)
    assert one.timeline.settings.crop_margin_percentage == 60
    assert two.timeline.settings.crop_margin_percentage == Settings().crop_margin_percentage


def test_first_start_that_fails_says_why_and_tries_again(networks: Networks) -> None:
    networks.missing |= {"yolo26n.pt"}
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    assert not at.exception
    assert [one.value.replace("\\", "") for one in at.error] == [
        "The weights of yolo26n.pt cannot be had; put yolo26n.pt.bin into the folder."
    ]
    assert not at.file_uploader
    networks.missing.clear()
    button(at, "Try again").click()
    at.run()
    assert not at.exception
    assert not at.error
    assert uploader(at, "Drop in a video")


def test_i3d_stands_in_where_s3d_cannot_be_had_and_the_page_says_so(networks: Networks) -> None:
    networks.missing |= {"s3d"}
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    assert not at.exception
    assert widget(at, "Classifier").value == "i3d"
    assert "weights of s3d cannot be had here, so i3d is used" in words(at)
    assert not at.error
    widget(at, "Classifier").set_value("s3d")
    at.run()
    assert "cannot be had here" not in words(at)


def test_folder_of_results_that_cannot_be_used_is_told_in_one_sentence(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "file" / "data"))
    at = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    at.run()
    assert not at.exception
    assert len(at.error) == 1
    assert "RECOGNIZER_DATA" in at.error[0].value.replace("\\", "")


def test_checkpoint_without_labels_says_what_is_missing(page: AppTest, clip: Path) -> None:
    uploader(page, "Checkpoint").upload("mine.pt", b"not a checkpoint")
    page.run()
    assert "The label file is missing" in words(page)
    settings = tab(page).settings
    assert settings is not None
    assert settings.checkpoint_path is None
    upload_video(page, clip)
    analyse(page)
    assert not page.error


def test_own_checkpoint_with_a_wrong_file_gets_one_sentence(page: AppTest, clip: Path) -> None:
    uploader(page, "Checkpoint").upload("mine.pt", b"not a checkpoint" * 100)
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    page.run()
    assert "In use: mine.pt with labels.txt" in words(page)
    upload_video(page, clip)
    analyse(page)
    assert len(page.error) == 1
    told = page.error[0].value.replace("\\", "")
    assert told.endswith(".")
    assert "\n" not in told
    assert "log of the server" not in told
    assert tab(page).run is None


def test_another_checkpoint_of_the_same_name_and_size_takes_the_place_of_the_first(page: AppTest) -> None:
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    uploader(page, "Checkpoint").upload("best.pt", b"first  training")
    page.run()
    first = tab(page).settings
    uploader(page, "Checkpoint").upload("best.pt", b"second training")
    page.run()
    second = tab(page).settings
    assert first is not None
    assert second is not None
    assert first.checkpoint_path is not None
    assert second.checkpoint_path is not None
    assert Path(second.checkpoint_path).read_bytes() == b"second training"


def test_sample_that_cannot_be_had_is_told_and_one_that_can_is_shown_with_its_source(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(progress: Any = None) -> Any:
        raise WeightsError("no sample video can be had; drop in a video of your own.")

    monkeypatch.setattr(weights, "sample_video", none)
    button(page, "Try a sample").click()
    page.run()
    assert [one.value.replace("\\", "") for one in page.error] == [
        "No sample video can be had; drop in a video of your own."
    ]
    sample = weights.SampleVideo(clip, "Somebody", "CC-BY-4.0", "An archive")
    monkeypatch.setattr(weights, "sample_video", lambda progress=None: sample)
    button(page, "Try a sample").click()
    page.run()
    assert not page.error
    assert "Somebody. An archive, CC-BY-4.0." in words(page)
    assert has_button(page, "Analyse")


def test_video_that_is_no_longer_kept_leaves_its_timeline_readable(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).run
    assert run is not None
    for path in run.video_path.parent.iterdir():
        path.unlink()
    page.run()
    assert not page.exception
    assert "'clip.mp4' is no longer kept here" in words(page)
    assert "Timeline" in [one.value for one in page.subheader]
    assert not has_button(page, "Analyse")
    fresh = AppTest.from_file(str(APP), default_timeout=WAIT_S)
    fresh.query_params["run"] = run.run_id
    fresh.run()
    assert not fresh.exception
    assert "no longer kept here" in words(fresh)
    assert "Timeline" in [one.value for one in fresh.subheader]
