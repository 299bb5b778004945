"""When a frame is sampled, and when a person's clip is full."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.clips.sampling import ClipSampler, SampleClock, joined, shortest_stay_s
from recognizer.settings import Settings, recommended
from recognizer.types import CROP_SIZE_PX, Clip, Observation, TrackedPerson

NTSC_HZ = 30000 / 1001


def taken(times_s: Iterable[float], interval_s: float, period_s: float) -> list[int]:
    clock = SampleClock(interval_s, period_s)
    return [index for index, time_s in enumerate(times_s) if clock.take_sample(time_s)]


class TestSampleClock:
    @pytest.mark.parametrize("skip", [1, 2, 3, 7, 30])
    @pytest.mark.parametrize("rate_hz", [10.0, 24000 / 1001, 25.0, NTSC_HZ, 60.0, 240.0])
    @pytest.mark.parametrize("rounded_to_s", [None, 0.001, 1 / 90000])
    def test_at_a_constant_rate_every_skipth_frame_is_taken(
        self, skip: int, rate_hz: float, rounded_to_s: float | None
    ) -> None:
        """Matroska rounds to milliseconds, MPEG to ticks of 1/90000 s: ten minutes must not lose or gain a frame."""
        times_s = [k / rate_hz for k in range(int(600 * rate_hz))]
        if rounded_to_s is not None:
            times_s = [round(t / rounded_to_s) * rounded_to_s for t in times_s]
        assert taken(times_s, skip / rate_hz, 1 / rate_hz) == list(range(0, len(times_s), skip))

    def test_a_slightly_wrong_frame_rate_costs_no_more_than_its_error(self) -> None:
        times_s = [k / NTSC_HZ for k in range(18_000)]
        # 30 instead of 29.97: one frame in a thousand is one too few for the grid
        indices = taken(times_s, 2 / 30, 1 / 30)
        assert abs(len(indices) - 9_000) <= 18_000 / 1000
        assert set(np.diff(indices)) <= {1, 2, 3}

    def test_with_a_variable_rate_samples_are_even_in_time_not_in_frames(self) -> None:
        slow = [k / 10 for k in range(20)]  # two seconds at 10 Hz
        fast = [2 + k / 60 for k in range(120)]  # then two at 60 Hz
        times_s = slow + fast
        indices = taken(times_s, 0.1, 1 / 35)
        assert [times_s[i] for i in indices] == pytest.approx([k / 10 for k in range(40)], abs=1 / 60)

    def test_ticks_in_a_gap_do_not_accumulate(self) -> None:
        times_s = [k / 30 for k in range(30)] + [11 + k / 30 for k in range(30)]
        indices = taken(times_s, 3 / 30, 1 / 30)
        assert indices == list(range(0, 30, 3)) + list(range(30, 60, 3))

    def test_the_first_frame_after_a_gap_is_always_taken(self) -> None:
        assert taken([0.0, 0.1, 5.55, 5.6, 5.96], 1.0, 0.1) == [0, 2, 4]

    def test_a_repeated_time_is_taken_once(self) -> None:
        times_s = [0.0, 0.0, 0.1, 0.1, 0.1, 0.2, 0.2]
        assert taken(times_s, 0.1, 0.1) == [0, 2, 5]

    def test_a_stream_that_starts_late_is_sampled_from_its_first_frame(self) -> None:
        assert taken([100.02 + k / 30 for k in range(9)], 4 / 30, 1 / 30) == [0, 4, 8]

    @given(
        gaps_s=st.lists(st.floats(1e-4, 3.0), min_size=1, max_size=60),
        interval_s=st.floats(0.02, 3.0),
        skip=st.integers(1, 30),
    )
    def test_every_tick_gets_its_first_frame(self, gaps_s: list[float], interval_s: float, skip: int) -> None:
        times_s = np.cumsum([0.0, *gaps_s])
        period_s = interval_s / skip
        indices = taken(times_s, interval_s, period_s)
        first_of_tick: dict[int, int] = {}
        for index, time_s in enumerate(times_s):
            first_of_tick.setdefault(math.floor((time_s + period_s / 2) / interval_s), index)
        assert indices == sorted(first_of_tick.values())
        if skip >= 2 and len(indices) > 2:
            # two samples are never closer than an interval less the two half frames of tolerance
            between = np.diff(times_s[indices])
            assert all(between[k] + between[k + 1] >= interval_s - 1e-9 for k in range(len(between) - 1))


RATE_HZ = 30.0
BLANK = np.zeros((CROP_SIZE_PX, CROP_SIZE_PX, 3), np.uint8)


def crop_of(number: int) -> NDArray[np.uint8]:
    crop = BLANK.copy()
    crop[0, 0, 0] = number
    return crop


def numbers_in(clip: Clip) -> list[int]:
    return [int(number) for number in clip.rgb[:, 0, 0, 0]]


def see(sampler: ClipSampler, number: int, time_s: float, *person_ids: int) -> list[Clip]:
    people = tuple(TrackedPerson(person_id, (0, 0, 10, 20), 0.9) for person_id in person_ids)
    return sampler.add(Observation(number, time_s, people, tuple(crop_of(number) for _ in people)))


def run(sampler: ClipSampler, plan: Sequence[tuple[float, Sequence[int]]]) -> list[tuple[int, Clip]]:
    """``plan``: time and visible people per sample; returns ``(sample at which it came, clip)``."""
    clips = [(k, clip) for k, (time_s, people) in enumerate(plan) for clip in see(sampler, k, time_s, *people)]
    return clips + [(len(plan), clip) for clip in sampler.finish()]


def sampler(samples: int = 8, skip: int = 3, overlap: float = 0.25, rate_hz: float = RATE_HZ) -> ClipSampler:
    """Every 0.1 s by default."""
    return ClipSampler(Settings(num_video_sequence_samples=samples, skip_frame=skip, overlap=overlap), rate_hz)


class TestClipSampler:
    def test_first_clip_comes_with_the_last_sample_it_needs_and_the_next_after_three_quarters_new_ones(self) -> None:
        clips = run(sampler(), [(k / 10, [1]) for k in range(20)])
        assert [(k, numbers_in(clip)) for k, clip in clips] == [
            (7, list(range(8))),
            (13, list(range(6, 14))),
            (19, list(range(12, 20))),
        ]

    def test_a_clip_covers_the_time_of_its_samples(self) -> None:
        ((_, clip),) = run(sampler(), [(2 + k / 10, [1]) for k in range(8)])
        assert (clip.start_s, clip.end_s) == (2.0, pytest.approx(2.8))

    def test_nobody_waits_for_another(self) -> None:
        """The published solution labelled everyone together when the last buffer was full."""
        plan = [(k / 10, [1] if k < 5 else [1, 2]) for k in range(20)]
        came = [(k, clip.person_id) for k, clip in run(sampler(), plan)]
        assert came == [(7, 1), (12, 2), (13, 1), (18, 2), (19, 1)]

    def test_the_end_of_a_stay_is_covered_by_a_last_clip(self) -> None:
        clips = run(sampler(), [(k / 10, [1]) for k in range(10)])
        assert [(k, numbers_in(clip)) for k, clip in clips] == [(7, list(range(8))), (10, list(range(2, 10)))]

    @pytest.mark.parametrize("new", [0, 1, 2])
    def test_less_than_a_quarter_of_what_is_new_in_other_clips_gets_none(self, new: int) -> None:
        # 6 of 8 samples are new in other clips
        clips = run(sampler(), [(k / 10, [1]) for k in range(8 + new)])
        assert [k for k, _ in clips] == [7, 10][: 2 if new > 1 else 1]

    def test_a_single_sample_long_after_the_clip_gets_one(self) -> None:
        clips = run(sampler(), [(k / 10, [1] if k < 8 or k == 14 else []) for k in range(15)])
        assert [numbers_in(clip)[-1] for _, clip in clips] == [7, 14]

    def test_a_stay_that_ends_with_a_clip_gets_no_second_one(self) -> None:
        assert len(run(sampler(), [(k / 10, [1]) for k in range(14)])) == 2

    def test_a_stay_shorter_than_one_clip_is_classified_from_one_second_on(self) -> None:
        plan = [(k * 0.1, (1,)) for k in range(10)]
        ((_, clip),) = run(sampler(samples=18), plan)
        assert numbers_in(clip) == list(range(10))
        assert (clip.start_s, clip.end_s) == pytest.approx((0.0, 1.0))
        assert run(sampler(samples=18), plan[:9]) == []
        assert run(sampler(samples=32), plan) == [], "not half of the samples"

    def test_a_stay_shorter_than_one_clip_and_than_a_second_gets_none(self) -> None:
        assert run(sampler(), [(k / 10, [1]) for k in range(7)]) == []

    def test_a_short_loss_keeps_the_samples(self) -> None:
        plan = [(k / 10, [1] if k < 4 or k >= 13 else []) for k in range(17)]  # away for 0.9 s
        ((came, clip),) = run(sampler(), plan)
        assert came == 16
        assert numbers_in(clip) == [0, 1, 2, 3, 13, 14, 15, 16]
        assert (clip.start_s, clip.end_s) == (0.0, pytest.approx(1.7))

    def test_a_long_loss_clears_them_and_no_clip_holds_both_sides(self) -> None:
        plan = [(k / 10, [1] if k < 7 or k >= 18 else []) for k in range(26)]  # away for 1.1 s and more
        ((came, clip),) = run(sampler(), plan)
        assert came == 25
        assert numbers_in(clip) == list(range(18, 26))

    def test_samples_before_a_long_loss_still_get_their_last_clip(self) -> None:
        plan = [(k / 10, [1] if k < 10 or k >= 30 else []) for k in range(46)]
        clips = run(sampler(), plan)
        assert [(k, numbers_in(clip)) for k, clip in clips] == [
            (7, list(range(8))),
            (20, list(range(2, 10))),  # the sample at which the loss has lasted for more than a second
            (37, list(range(30, 38))),
            (43, list(range(36, 44))),
            (46, list(range(38, 46))),
        ]

    def test_a_gap_in_the_stream_counts_as_a_loss(self) -> None:
        plan = [(k / 10 if k < 7 else 5 + k / 10, [1]) for k in range(15)]
        ((came, clip),) = run(sampler(), plan)
        assert (came, numbers_in(clip)) == (14, list(range(7, 15)))

    def test_samples_further_apart_than_a_second_still_make_clips(self) -> None:
        """skip 30 in a video of 10 frames a second: a sample every three seconds."""
        far_apart = sampler(samples=4, skip=30, rate_hz=10.0)
        clips = run(far_apart, [(3.0 * k, [1]) for k in range(4)])
        assert [(clip.start_s, clip.end_s) for _, clip in clips] == [(0.0, 12.0)]
        far_apart = sampler(samples=5, skip=30, rate_hz=10.0)
        assert run(far_apart, [(3.0 * k, [1] if k != 2 else []) for k in range(5)]) == []

    def test_one_sample_a_clip_works(self) -> None:
        clips = run(sampler(samples=1), [(k / 10, [1]) for k in range(3)])
        assert [numbers_in(clip) for _, clip in clips] == [[0], [1], [2]]

    def test_only_the_latest_samples_of_visible_people_are_stored(self) -> None:
        one = sampler(samples=4)
        for k in range(200):
            see(one, k % 256, k * 0.1, k // 20 + 1)  # ten people, one after the other
        (buffer,) = (b for b in one._buffers.values() if b.samples[-1][0] > 19.85)
        assert len(buffer.samples) == 4
        assert len(one._buffers) <= 2

    @example(presence=[(True, False)] * 5, samples=4, overlap=0.0, skip=1)  # one of five is left
    @given(
        presence=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=120),
        samples=st.integers(1, 12),
        overlap=st.floats(0.0, 0.9),
        skip=st.integers(1, 30),
    )
    @settings(max_examples=60)
    def test_rules_hold_for_any_coming_and_going(
        self, presence: list[tuple[bool, bool]], samples: int, overlap: float, skip: int
    ) -> None:
        chosen = Settings(num_video_sequence_samples=samples, overlap=overlap, skip_frame=skip)
        interval_s, max_gap_s = chosen.sample_interval_s(RATE_HZ), chosen.max_gap_s(RATE_HZ)
        plan = [(k * interval_s, [p + 1 for p in range(2) if there[p]]) for k, there in enumerate(presence)]
        clips = run(ClipSampler(chosen, RATE_HZ), plan)
        for person_id in (1, 2):
            seen = [k for k, (_, people) in enumerate(plan) if person_id in people]
            stays: list[list[int]] = []
            for k in seen:
                if stays and plan[k][0] - plan[stays[-1][-1]][0] <= max_gap_s:
                    stays[-1].append(k)
                else:
                    stays.append([k])
            mine = [numbers_in(clip) for _, clip in clips if clip.person_id == person_id]
            for stay in stays:
                here = [clip for clip in mine if clip[0] in stay]
                of_a_clip = samples if len(stay) >= samples else len(stay)
                assert all(set(clip) <= set(stay) and len(clip) == of_a_clip for clip in here)
                covered = {k for clip in here for k in clip}
                is_named = len(stay) * interval_s >= shortest_stay_s(chosen, RATE_HZ) - 1e-6
                left = [k for k in stay if k not in covered]
                if is_named and len(stay) >= samples and left:  # too little that is new for a last clip
                    assert left == [k for k in stay if k > max(covered)]
                    assert (left[-1] - max(covered)) * interval_s <= chosen.label_holds_s(RATE_HZ) + 1e-6
                else:
                    assert covered == (set(stay) if is_named else set())
            assert sum(len([c for c in mine if c[0] in stay]) for stay in stays) == len(mine)


def test_a_short_stay_is_classified_where_evidence_decides_how_sure_a_label_is() -> None:
    """Regression: with the recommended settings, a video of one second named nobody at all."""
    by_evidence = recommended(Settings(video_classifier_model="i3d"), RATE_HZ)
    assert shortest_stay_s(by_evidence, RATE_HZ) == pytest.approx(0.25)
    one_second = [(k / 15, [1]) for k in range(15)]
    ((_, clip),) = run(ClipSampler(by_evidence, RATE_HZ), one_second)
    assert len(clip.rgb) == 15
    assert run(ClipSampler(by_evidence, RATE_HZ), one_second[:3]) == [], "0.2 s"
    for other in (
        replace(by_evidence, calibrated=False),
        replace(by_evidence, surroundings=False),
        replace(by_evidence, checkpoint_path="own.pt", labels_path="own.txt"),
    ):
        assert shortest_stay_s(other, RATE_HZ) > 1.2


def counted_clip(first: int, samples: int, interval_s: float = 0.1) -> Clip:
    """Sample k of the stream is grey k."""
    greys = np.arange(first, first + samples, dtype=np.uint8)
    rgb = np.broadcast_to(greys[:, None, None, None], (samples, 2, 2, 3)).copy()
    return Clip(1, first * interval_s, (first + samples) * interval_s, rgb)


def greys(clip: Clip) -> list[int]:
    return [int(sample[0, 0, 0]) for sample in clip.rgb]


class TestJoined:
    def test_two_clips_that_overlap_become_one_over_the_time_of_both(self) -> None:
        both = joined(counted_clip(0, 8), counted_clip(6, 8), from_s=0.0)
        assert (both.start_s, both.end_s) == pytest.approx((0.0, 1.4))
        # as many samples as before, evenly over 14
        assert greys(both) == [0, 2, 4, 5, 7, 9, 10, 12] or greys(both) == [0, 2, 3, 5, 7, 9, 10, 12]

    def test_joining_again_and_again_keeps_the_samples_even(self) -> None:
        clip = counted_clip(0, 8)
        for first in (6, 12, 18):
            clip = joined(clip, counted_clip(first, 8), from_s=0.0)
        assert (clip.start_s, clip.end_s) == pytest.approx((0.0, 2.6))
        assert len(clip.rgb) == 8
        steps = np.diff(greys(clip))
        assert steps.min() >= 1
        assert steps.max() <= 2 * 26 / 8

    def test_earlier_samples_are_left_out(self) -> None:
        both = joined(counted_clip(0, 8), counted_clip(8, 8), from_s=0.8 - 0.4)
        assert (both.start_s, both.end_s) == pytest.approx((0.4, 1.6))
        assert min(greys(both)) >= 4

    def test_the_newer_clip_decides_the_length(self) -> None:
        both = joined(counted_clip(0, 16), counted_clip(16, 4), from_s=0.0)
        assert len(both.rgb) == 4
        assert both.end_s == pytest.approx(2.0)


class TestSurroundings:
    def see(self, sampler: ClipSampler, number: int, around: tuple[NDArray[np.uint8], ...]) -> list[Clip]:
        person = TrackedPerson(1, (0.0, 0.0, 10.0, 10.0), 0.9)
        return sampler.add(Observation(number, number * 0.1, (person,), (crop_of(number),), surroundings_rgb=around))

    def test_a_clip_shows_the_surroundings_of_the_same_samples(self) -> None:
        one = sampler(samples=3)
        (clip,) = [clip for k in range(3) for clip in self.see(one, k, (crop_of(100 + k),))]
        assert clip.surroundings_rgb is not None
        assert [int(n) for n in clip.surroundings_rgb[:, 0, 0, 0]] == [100, 101, 102]

    def test_until_all_samples_have_surroundings_the_clip_has_none(self) -> None:
        """They were switched on while a camera runs."""
        one = sampler(samples=3)
        (clip,) = [clip for k in range(3) for clip in self.see(one, k, (crop_of(100 + k),) if k else ())]
        assert clip.surroundings_rgb is None

    def test_clips_that_become_one_show_the_same_samples_of_both(self) -> None:
        first, second = (
            Clip(1, start_s, start_s + 0.4, greys_from(start), greys_from(start + 100))
            for start_s, start in ((0.0, 0), (0.4, 4))
        )
        together = joined(first, second, 0.0)
        assert together.surroundings_rgb is not None
        np.testing.assert_array_equal(together.surroundings_rgb, together.rgb + 100)


def greys_from(start: int, samples: int = 4) -> NDArray[np.uint8]:
    return np.stack([np.full_like(BLANK, start + k) for k in range(samples)])


def test_after_a_swap_each_persons_clip_shows_that_person() -> None:
    """Two people were swapped from the sixth sample on, which is noticed at the ninth."""
    one = sampler(samples=10)
    clips = []
    for k in range(10):
        if k == 8:
            one.swap(1, 2, since_s=0.5)
        shown = (1, 2) if k < 5 or k >= 8 else (2, 1)
        people = tuple(TrackedPerson(number, (0, 0, 50, 100), 0.9) for number in (1, 2))
        clips += one.add(Observation(k, k / 10, people, tuple(crop_of(person) for person in shown)))
    assert [(clip.person_id, set(numbers_in(clip)), len(clip.rgb)) for clip in clips] == [(1, {1}, 10), (2, {2}, 10)]


class TestClipsOfPeople:
    """The tracker loses a person again and again; under none of its numbers they stay long enough for a clip."""

    PLAN = tuple((k / 10, (1 + k // 6,) if k % 6 < 5 else ()) for k in range(18))

    def left_over(self, cut_at: int | None = None) -> ClipSampler:
        one = ClipSampler(Settings(num_video_sequence_samples=8, skip_frame=3), RATE_HZ, keeps_left_over=True)
        for k, (time_s, numbers) in enumerate(self.PLAN):
            people = tuple(TrackedPerson(number, (0, 0, 10, 20), 0.9) for number in numbers)
            crops = tuple(crop_of(k) for _ in people)
            assert one.add(Observation(k, time_s, people, crops, is_cut=k == cut_at)) == []
        assert one.finish() == []
        return one

    def test_a_person_of_several_short_tracks_has_clips_across_them(self) -> None:
        clips = self.left_over().clips_of_people({1: 1, 2: 1, 3: 1})
        assert [(clip.person_id, numbers_in(clip)) for clip in clips] == [
            (1, [0, 1, 2, 3, 4, 6, 7, 8]),
            (1, [7, 8, 9, 10, 12, 13, 14, 15]),
        ]

    def test_several_people_of_one_short_track_each_have_none(self) -> None:
        assert self.left_over().clips_of_people({1: 1, 2: 2, 3: 3}) == []

    def test_no_clip_goes_across_a_cut(self) -> None:
        clips = self.left_over(cut_at=6).clips_of_people({1: 1, 2: 1, 3: 1})
        assert [numbers_in(clip)[0] for clip in clips] == [6, 8]

    def test_a_person_found_twice_is_in_a_clip_once(self) -> None:
        one = ClipSampler(Settings(num_video_sequence_samples=8, skip_frame=3), RATE_HZ, keeps_left_over=True)
        for k in range(12):
            see(one, k, k / 10, *((1,) if k < 5 else (2, 3) if k < 7 else (2,) if k < 10 else ()))
        one.finish()
        (clip, _) = one.clips_of_people({1: 1, 2: 1, 3: 1})
        assert numbers_in(clip) == list(range(8))

    def test_only_so_many_samples_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("recognizer.clips.sampling.MOST_LEFT_OVER", 10)
        clips = self.left_over().clips_of_people({1: 1, 2: 1, 3: 1})
        assert [numbers_in(clip)[0] for clip in clips] == [6, 8], "the oldest five have none"


class TestSharedSamples:
    """Clips of many people are complete at once; each with copies would take twice the memory of their samples."""

    def test_a_complete_clip_takes_no_memory_until_it_is_used(self) -> None:
        sampler = ClipSampler(Settings(num_video_sequence_samples=4, skip_frame=1, overlap=0.0), 30.0)
        rng = np.random.default_rng(0)
        shown = [[rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(2)] for _ in range(8)]
        tracemalloc.start()
        clips: list[Clip] = []
        for k, pictures in enumerate(shown):
            people = tuple(TrackedPerson(i, (0.0, 0.0, 40.0, 90.0), 0.9) for i in (1, 2))
            clips += sampler.add(Observation(k, k / 30, people, tuple(pictures), surroundings_rgb=tuple(pictures)))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(clips) == 4
        assert peak_bytes < 4 * 64 * 64 * 3, "that of one clip"
        for clip, (first, person) in zip(clips, ((0, 0), (0, 1), (4, 0), (4, 1)), strict=True):
            expected = np.stack([pictures[person] for pictures in shown[first : first + 4]])
            for found in (clip, clip.stacked()):
                np.testing.assert_array_equal(found.rgb, expected)
                np.testing.assert_array_equal(found.surroundings_rgb, expected)
                assert found.length == 4
                assert found.shape == expected.shape
            assert clip.stacked().stacked().person_id == clip.person_id

    def test_a_clip_that_waits_and_grows_takes_no_memory_either(self) -> None:
        sampler = ClipSampler(Settings(num_video_sequence_samples=4, skip_frame=1, overlap=0.0), 30.0)
        people = (TrackedPerson(1, (0.0, 0.0, 40.0, 90.0), 0.9),)
        shown = [np.random.default_rng(k).integers(0, 256, (64, 64, 3), np.uint8) for k in range(12)]
        clips = [
            clip
            for k, picture in enumerate(shown)
            for clip in sampler.add(Observation(k, k / 30, people, (picture,), surroundings_rgb=(255 - picture,)))
        ]
        tracemalloc.start()
        waiting = joined(joined(clips[0], clips[1], from_s=0.0), clips[2], from_s=0.0)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak_bytes < 64 * 64 * 3, "that of one picture"
        assert waiting.length == 4
        assert waiting.surroundings_rgb is not None
        np.testing.assert_array_equal(waiting.surroundings_rgb, 255 - waiting.rgb)
        assert all(any((one == picture).all() for picture in shown) for one in waiting.rgb)
