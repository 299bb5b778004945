"""Decoding in processes of their own: the same pictures, and a failure that costs one run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from recognizer import processes
from recognizer.errors import VideoError
from recognizer.limits import limits
from recognizer.processes import WHERE_VARIABLE
from recognizer.types import Frame
from recognizer.video import VideoSource, make_preview, open_video, poster, probe, workers
from recognizer.video import shared_pictures as shared
from recognizer.video.decoding import Stop
from recognizer.video.looking import still
from recognizer.video.messages import Converted, Ended, Inspect, Inspected
from recognizer.video.workers import Worker, Workers
from tests.support.waiting import WAIT_S, wait_until

MakeVideo = Callable[..., Path]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's signals and limits"),
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WHERE_VARIABLE, "worker")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Decoders of one test, which other tests do not use afterwards."""
    mine = Workers()
    monkeypatch.setattr(workers, "_workers", mine)
    yield mine
    mine.close()


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def noise(count: int, size_wh: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (size_wh[1], size_wh[0], 3), np.uint8) for _ in range(count)]


def everything(path: Path | VideoSource, way: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a reader says about a file and gives of it, with some pictures left out and without."""
    monkeypatch.setenv(WHERE_VARIABLE, way)
    found: list[object] = []
    with open_video(path) as reader:
        for select in (None, lambda index, _time_s: index % 3 == 1):
            frames = [(one.index, one.time_s, sha256(one.rgb.tobytes()).hexdigest()) for one in reader.frames(select)]
            found += [frames, reader.frame_times_s.tolist(), reader.notes, reader.reading, reader.progress, reader.info]
        sound = [(position, samples.tobytes()) for position, samples in reader.sound()]
    return [*found, sound, poster(path).rgb.tobytes()]


@pytest.mark.parametrize("stopped_by", [signal.SIGKILL, signal.SIGSEGV])
def test_decoder_that_dies_costs_one_run(make_video: MakeVideo, own: Workers, stopped_by: signal.Signals) -> None:
    path = make_video("a.mp4", frames=300)
    with open_video(path) as reader:
        frames = reader.frames()
        assert next(frames).index == 0
        (pid,) = own.pids()
        os.kill(pid, stopped_by)
        with pytest.raises(VideoError) as caught:
            list(frames)
    assert str(caught.value) == (
        f"the decoder of 'a.mp4' broke down, it was ended by {stopped_by.name}; convert it to H.264 in an MP4 file, or"
        " choose another file."
    )
    with open_video(path) as reader:
        assert len(list(reader.frames())) == 300
    assert pid not in own.pids()


def test_pass_through_a_recording_that_is_closed_gives_its_decoder_back(make_video: MakeVideo, own: Workers) -> None:
    """Regression: the decoder of the part that was read stayed in use as long as the recording was open."""
    first, second = make_video("a1.mp4", frames=300), make_video("a2.mp4", frames=300)
    with open_video(VideoSource((first, second))) as reader:
        frames = reader.frames()
        next(frames)
        frames.close()
        assert probe(first).frame_count == 300
        assert len(own.pids()) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_end_of_the_service_lets_decoders_work(make_video: MakeVideo, own: Workers, end: signal.Signals) -> None:
    """A service manager ends all processes at once, and the server still saves its runs."""
    with open_video(make_video(frames=300)) as reader:
        frames = reader.frames()
        next(frames)
        os.kill(own.pids().pop(), end)
        assert len(list(frames)) == 299


def test_idle_decoder_that_dies_is_replaced(make_video: MakeVideo, own: Workers) -> None:
    path = make_video(frames=3)
    assert probe(path).frame_count == 3
    (pid,) = own.pids()
    (decoder,) = own._idle
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not decoder.is_alive())  # later than its first thread, which psutil reports
    assert probe(path).frame_count == 3


def test_decoder_that_stands_still_is_ended(
    make_video: MakeVideo, own: Workers, set_limits: Callable[..., None]
) -> None:
    set_limits(max_decoder_stall_s=1)
    path = make_video("a.mp4", frames=300)
    with open_video(path) as reader:
        frames = reader.frames()
        next(frames)
        (pid,) = own.pids()
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(VideoError, match=r"'a.mp4' gave no picture for 1 s, .* \(max_decoder_stall_s: "):
            list(frames)
    assert not psutil.pid_exists(pid)


def test_cancelling_does_not_wait_for_a_decoder_that_stands_still(make_video: MakeVideo, own: Workers) -> None:
    with open_video(make_video(frames=300)) as reader:
        next(reader.frames())
        (pid,) = own.pids()
        os.kill(pid, signal.SIGSTOP)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < limits().max_decoder_stall_s / 2
    assert not psutil.pid_exists(pid)


def test_late_stop_does_not_end_the_next_video(
    make_video: MakeVideo, own: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a stop that was on its way when its video was over ended the one that the decoder read next."""
    late: list[Callable[[], None]] = []
    monkeypatch.setattr(Stop, "also", lambda _stop, call: late.append(call))
    monkeypatch.setattr(Stop, "no_longer", lambda _stop, _call: None)
    path = make_video(frames=300)
    with open_video(path) as reader:
        next(reader.frames())
    (pid,) = own.pids()
    with open_video(path) as reader:
        frames = reader.frames()
        next(frames)
        late[0]()
        assert len(list(frames)) == 299
    assert own.pids() == {pid}


def test_decoder_that_answers_a_stop_in_time_is_not_ended_later(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a stop put back the time at which the answer was due, when the answer was there already."""
    worker = Worker()
    order = Inspect(os.fsencode(make_video(frames=1)), "'a.mp4'", None, None, None)
    answers: list[object] = []
    listener = threading.Thread(target=lambda: answers.append(worker.hear()))
    clock_s, halting = time.monotonic, threading.current_thread()

    def monotonic_s() -> float:
        now_s = clock_s()
        if threading.current_thread() is halting:
            os.kill(worker.pid, signal.SIGCONT)
            listener.join(timeout=1.0)
        return now_s

    try:
        worker.begin(order)
        worker.hear()
        os.kill(worker.pid, signal.SIGSTOP)
        worker.begin(order)
        listener.start()
        wait_until(lambda: worker._due_s is not None)
        monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=monotonic_s))
        worker.halt(worker.work)
        listener.join()
        monkeypatch.setattr(workers, "time", SimpleNamespace(monotonic=lambda: clock_s() + 2 * workers._HALTS_WITHIN_S))
        worker.look()
        worker.begin(order)
        assert isinstance(worker.hear(), Inspected)
    finally:
        worker.close()
    assert isinstance(answers[0], Inspected)


def test_decoder_that_ends_before_the_file_does_is_refused(
    make_video: MakeVideo, own: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: its pictures were taken for the whole file."""
    hear = Worker.hear

    def early(worker: Worker) -> object:
        answer = hear(worker)
        return Ended() if isinstance(answer, Converted) and answer.index == 5 else answer

    monkeypatch.setattr(Worker, "hear", early)
    with open_video(make_video(frames=300)) as reader, pytest.raises(VideoError, match="said something wrong"):
        list(reader.frames())


def test_decoder_that_wants_too_much_memory_is_refused(
    make_video: MakeVideo, own: Workers, set_limits: Callable[..., None]
) -> None:
    small, large = make_video("small.mp4", frames=3), make_video("large.mp4", frames=1, size=(4096, 3072))
    set_limits(max_decoder_bytes=450_000_000)
    with pytest.raises(VideoError, match=r"'large.mp4' asks for more memory, .* \(max_decoder_bytes: "):
        for _ in open_video(large).frames():
            pass
    assert probe(small).frame_count == 3


def test_decoder_keeps_no_pictures_of_what_it_read_before(make_video: MakeVideo, own: Workers) -> None:
    """Regression: two pictures of each file waited for Python's garbage collection, which seldom came: after 100 looks
    at a video of 12 megapixels its decoder had asked for more memory than it may have."""
    path = make_video(frames=2, size=(1600, 1200))
    picture_bytes = 1600 * 1200 * 3 // 2

    def used_bytes() -> int:
        (pid,) = own.pids()
        return int(psutil.Process(pid).memory_full_info().uss)

    still(path, 0.0)
    first_bytes = used_bytes()
    for _ in range(15):
        still(path, 0.0)
    wait_until(lambda: used_bytes() < first_bytes + 8 * picture_bytes)


def test_memory_is_looked_up_where_the_system_sets_no_limit(
    make_video: MakeVideo, own: Workers, set_limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SYSTEM_LIMITS_MEMORY", False)
    set_limits(max_decoder_bytes=400_000_000)
    with open_video(make_video("a.mp4", frames=300)) as reader:
        frames = reader.frames()
        next(frames)
        decoder = psutil.Process(own.pids().pop())
        monkeypatch.setattr(Worker, "_memory_bytes", lambda _: 400_000_001)
        wait_until(lambda: has_ended(decoder))
        with pytest.raises(VideoError, match=r"'a.mp4' asks for more memory, .* \(max_decoder_bytes: "):
            list(frames)


def test_decoder_that_talks_nonsense_is_ended(
    make_video: MakeVideo, own: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # it reads on, since one that has ended before it is asked anything cannot even be asked
    program = "import sys; print('nonsense, and more nonsense', flush=True); sys.stdin.read()"
    talk = [sys.executable, "-c", program]
    monkeypatch.setattr(processes, "command", lambda _module: talk)
    with pytest.raises(VideoError, match=r"the decoder of 'video\.mp4' broke down, it said something wrong"):
        probe(make_video(frames=3))
    assert own.pids() == set()


@pytest.mark.parametrize("change", [{"slot": 0x7FFF}, {"slot": -1}, {"index": 3}, {"time_s": -5.0}])
def test_picture_that_cannot_be_is_refused(
    make_video: MakeVideo, own: Workers, monkeypatch: pytest.MonkeyPatch, change: dict[str, float]
) -> None:
    hear = Worker.hear

    def wrong(worker: Worker) -> object:
        answer = hear(worker)
        if isinstance(answer, Converted) and answer.index == 2:
            for name, value in change.items():
                setattr(answer, name, value)
        return answer

    monkeypatch.setattr(Worker, "hear", wrong)
    with open_video(make_video(frames=10)) as reader, pytest.raises(VideoError, match="said something wrong"):
        list(reader.frames())


def test_frames_that_nobody_selects_stay_in_the_decoder(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    hear, crossed = Worker.hear, []

    def counted(worker: Worker) -> object:
        answer = hear(worker)
        crossed.extend([answer.index] if isinstance(answer, Converted) else [])
        return answer

    monkeypatch.setattr(Worker, "hear", counted)
    with open_video(make_video(frames=60)) as reader:
        frames = list(reader.frames(lambda index, _: index in (7, 40)))
        assert len(reader.frame_times_s) == 60
    assert [one.index for one in frames] == crossed == [7, 40]


def test_frames_last_as_long_as_somebody_holds_them(make_video: MakeVideo) -> None:
    """More than there are slots, also after the pass, and while the decoder reads something else."""
    pictures = noise(60)
    path = make_video(frames=pictures)
    with open_video(path) as reader:
        held = list(reader.frames())
        again: list[Frame] = list(reader.frames())
    assert all(one.rgb.flags.writeable for one in held)
    assert all(np.array_equal(one.rgb, two.rgb) for one, two in zip(held, again, strict=True))
    assert all(abs(one.rgb.mean() - picture.mean()) < 3 for one, picture in zip(held, pictures, strict=True))


def test_memory_of_frames_is_used_again(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    made, used = shared.PictureSlots.picture, set()

    def noted(slots: shared.PictureSlots, slot: int, shape: tuple[int, int, int]) -> np.ndarray:
        used.add(slot)
        return made(slots, slot, shape)

    monkeypatch.setattr(shared.PictureSlots, "picture", noted)
    with open_video(make_video(frames=200)) as reader:
        assert sum(1 for _ in reader.frames()) == 200
    assert len(used) <= 10


def test_temporary_file_does_where_memory_cannot_be_anonymous(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = make_video(frames=noise(50))
    there, here = (everything(path, way, monkeypatch) for way in ("worker", "inline"))
    monkeypatch.setattr(shared, "IS_ANONYMOUS", False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert everything(path, "worker", monkeypatch) == there == here
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_decoder_is_used_again_and_a_spare_one_waits(make_video: MakeVideo, own: Workers) -> None:
    path = make_video(frames=3)
    own.warm_up(keep_spare=True)
    wait_until(lambda: len(own.pids()) == 1)
    for _ in range(3):
        with open_video(path) as reader:
            assert len(list(reader.frames())) == 3
    assert make_preview(path, path.with_name("preview.mp4"))
    with open_video(path) as reader:
        frames = reader.frames()
        next(frames)
        wait_until(lambda: len(own.pids()) == 2)


def test_decoder_that_is_just_being_started_ends_with_the_others(own: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: it stayed after all had been ended, and nobody ended it any more."""
    starting, go_on = threading.Event(), threading.Event()

    class LateWorker(Worker):
        def __init__(self) -> None:
            starting.set()
            assert go_on.wait(WAIT_S)
            super().__init__()

    monkeypatch.setattr(workers, "Worker", LateWorker)
    own.warm_up()
    assert starting.wait(WAIT_S)
    closing = threading.Thread(target=own.close)
    closing.start()
    wait_until(lambda: own._starter is None)
    go_on.set()
    closing.join(WAIT_S)
    assert own.pids() == set()


def test_decoder_knows_no_passwords(make_video: MakeVideo, own: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RECOGNIZER_DATABASE", "RECOGNIZER_ICE_SERVERS", "STREAMLIT_SERVER_COOKIE_SECRET"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("RECOGNIZER_LIMIT_MAX_FRAMES", "1000")
    probe(make_video(frames=1))
    (pid,) = own.pids()
    known = psutil.Process(pid).environ()
    assert "secret" not in known.values()
    assert known["RECOGNIZER_LIMIT_MAX_FRAMES"] == "1000"


def test_decoders_end_with_the_program(make_video: MakeVideo) -> None:
    """Even one that stands still ends with a program that is killed."""
    script = (
        "import sys, time; from recognizer.video import probe, workers; probe(sys.argv[1]);"
        "print(*workers.workers().pids(), flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(make_video(frames=1))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        decoder = psutil.Process(int(program.stdout.readline()))
        decoder.suspend()
        program.kill()
    wait_until(lambda: has_ended(decoder))


def test_both_ways_give_the_same(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(frames=noise(50), fps=12)
    assert everything(path, "worker", monkeypatch) == everything(path, "inline", monkeypatch)
    monkeypatch.setenv(WHERE_VARIABLE, "worker")
    picture = still(path, 2.0)
    monkeypatch.setenv(WHERE_VARIABLE, "inline")
    assert np.array_equal(picture, still(path, 2.0))


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "decord_video_270.mov",
        "moviepy_chaplin.mp4",
        "odd/e30_vfr.mp4",
        "odd/e44_resolution_change.ts",
        "odd/e60_truncated_faststart.mp4",
        "opencv_vtest.avi",
        "torchcodec_av1_video.mkv",
        "torchcodec_h265_10bits.mp4",
        "tv_v_SoccerJuggling_g24_c01.avi",
    ],
)
def test_both_ways_give_the_same_of_real_files(clips_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = clips_dir / name
    assert everything(path, "worker", monkeypatch) == everything(path, "inline", monkeypatch)
