"""Crops of people and of their surroundings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizer.clips.cropping import STEADY_WITHIN_S, Cropper, square_crop, square_window, surroundings_crop
from recognizer.clips.pictures import PAD_RGB
from recognizer.settings import CropStyle
from recognizer.types import CROP_SIZE_PX, Box, TrackedPerson


def disc(side: int, centre: tuple[int, int], radius: int) -> NDArray[np.uint8]:
    """A white disc on black, uint8 (side, side, 3)."""
    rgb = np.zeros((side, side, 3), np.uint8)
    cv2.circle(rgb, centre, radius, (255, 255, 255), -1)
    return rgb


class TestSquareCrop:
    def test_margin_is_added_on_each_side_in_percent_of_the_longer_side(self) -> None:
        assert square_window((100, 100, 140, 200), 0) == (70, 100, 100)
        assert square_window((100, 100, 140, 200), 10) == (60, 90, 120)
        assert square_window((100, 100, 140, 200), 100) == (-30, 0, 300)
        assert square_window((100, 100, 200, 140), 10) == (90, 60, 120)

    @given(
        x=st.floats(-500, 500),
        y=st.floats(-500, 500),
        w=st.floats(1, 800),
        h=st.floats(1, 800),
        margin=st.integers(0, 100),
    )
    def test_the_window_is_centred_on_the_box_and_holds_it(
        self, x: float, y: float, w: float, h: float, margin: int
    ) -> None:
        left, top, side = square_window((x, y, x + w, y + h), margin)
        assert left + side / 2 == pytest.approx(x + w / 2, abs=0.51)
        assert top + side / 2 == pytest.approx(y + h / 2, abs=0.51)
        assert side == pytest.approx(max(w, h) * (1 + margin / 50), abs=0.51)

    def test_inside_the_picture_the_crop_is_the_picture(self) -> None:
        rgb = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
        crop = square_crop(rgb, (50, 20, 50 + CROP_SIZE_PX, 20 + CROP_SIZE_PX), 0)
        np.testing.assert_array_equal(crop, rgb[20 : 20 + CROP_SIZE_PX, 50 : 50 + CROP_SIZE_PX])
        crop[:] = 0
        assert rgb[20:244, 50:274].any(), "the crop must be a copy: the frame goes on to be drawn on"

    @pytest.mark.parametrize(
        ("centre", "side_of_padding"),
        [((20, 150), "left"), ((280, 150), "right"), ((150, 20), "top"), ((150, 280), "bottom"), ((20, 20), "corner")],
    )
    def test_at_the_border_a_circle_stays_a_circle_and_the_rest_is_padding(
        self, centre: tuple[int, int], side_of_padding: str
    ) -> None:
        radius = 40
        x, y = centre
        crop = square_crop(disc(301, centre, radius), (x - 50, y - 50, x + 50, y + 50), 0)
        white = (crop > 200).all(axis=2)
        scale = CROP_SIZE_PX / 100
        # the disc in an unlimited picture, without the part beyond the border
        rows, columns = np.mgrid[:CROP_SIZE_PX, :CROP_SIZE_PX]
        in_picture_x, in_picture_y = (columns + 0.5) / scale + x - 50, (rows + 0.5) / scale + y - 50
        inside = (in_picture_x > 0) & (in_picture_y > 0) & (in_picture_x < 301) & (in_picture_y < 301)
        expected = inside & ((in_picture_x - x - 0.5) ** 2 + (in_picture_y - y - 0.5) ** 2 <= radius**2)
        assert (white != expected).mean() < 0.02
        padding = (crop == PAD_RGB).all(axis=2)
        assert (padding != ~inside).mean() < 0.01
        assert padding.mean() > 0.1, side_of_padding

    def test_a_person_wider_than_tall_is_not_squashed(self) -> None:
        rgb = disc(400, (200, 200), 30)
        crop = square_crop(rgb, (100, 170, 300, 230), 10)
        rows, columns = np.nonzero((crop > 127).all(axis=2))
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)
        assert np.ptp(rows) + 1 == pytest.approx(61 * CROP_SIZE_PX / 240, abs=2)

    @pytest.mark.parametrize(
        "box_xyxy",
        [
            (-500.0, -500.0, -400.0, -400.0),
            (900.0, 10.0, 950.0, 90.0),
            (10.0, 900.0, 50.0, 990.0),
            (64.0, 0.0, 80.0, 16.0),  # touches the right border from outside
            (-16.0, 0.0, 0.0, 16.0),
        ],
    )
    def test_a_box_outside_the_picture_gives_padding_alone(self, box_xyxy: Box) -> None:
        crop = square_crop(np.zeros((48, 64, 3), np.uint8), box_xyxy, 0)
        assert (crop == PAD_RGB).all()

    @pytest.mark.parametrize("box_xyxy", [(5.0, 5.0, 6.0, 6.0), (5.2, 5.3, 5.4, 5.5), (0.0, 0.0, 1.0, 1.0)])
    def test_a_box_of_one_pixel_or_less_gives_that_pixel(self, box_xyxy: Box) -> None:
        rgb = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
        crop = square_crop(rgb, box_xyxy, 0)
        assert (crop == rgb[int(box_xyxy[1]), int(box_xyxy[0])]).all()

    @given(
        x1=st.floats(-300, 300),
        y1=st.floats(-300, 300),
        w=st.floats(0.01, 600),
        h=st.floats(0.01, 600),
        margin=st.integers(0, 100),
        size=st.tuples(st.integers(1, 120), st.integers(1, 120)),
    )
    @settings(max_examples=150)
    def test_any_box_in_any_picture_gives_a_crop(
        self, x1: float, y1: float, w: float, h: float, margin: int, size: tuple[int, int]
    ) -> None:
        rgb = np.full((size[1], size[0], 3), 255, np.uint8)
        crop = square_crop(rgb, (x1, y1, x1 + w, y1 + h), margin)
        assert crop.shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3)
        assert crop.dtype == np.uint8
        assert crop.flags.c_contiguous
        # every pixel is either the picture's or padding: nothing is left unwritten
        assert ((crop == 255).all(axis=2) | (crop == PAD_RGB).all(axis=2)).all()

    def test_only_pixels_of_the_window_are_read(self) -> None:
        big = np.zeros((2000, 3000, 3), np.uint8)
        big[1000:1100, 2000:2100] = 200
        np.testing.assert_array_equal(square_crop(big, (2000, 1000, 2100, 1100), 0), 200)


def person(x: float, person_id: int = 1, size: float = 100.0) -> TrackedPerson:
    return TrackedPerson(person_id, (x, 50.0, x + size, 50.0 + size), 0.9)


def centre_x(box: Box) -> float:
    return (box[0] + box[2]) / 2


STEADY = CropStyle(10, steady=True, surroundings=False)


class TestSteadyCrop:
    def test_a_box_that_jitters_hardly_moves_it(self) -> None:
        cropper = Cropper(STEADY, 1.0)
        jitter = np.random.default_rng(0).normal(0, 5, 200)
        seen = [centre_x(cropper.boxes(k / 15, [person(200 + x)])[0]) for k, x in enumerate(jitter)]
        assert np.std(np.diff(seen[30:])) < 0.15 * np.std(np.diff(jitter))

    def test_a_person_who_walks_is_followed_at_the_distance_of_the_time_constant(self) -> None:
        cropper = Cropper(STEADY, 1.0)
        for k in range(60):
            (box,) = cropper.boxes(k / 15, [person(40 * k / 15)])
        assert 40 * 59 / 15 + 50 - centre_x(box) == pytest.approx(40 * STEADY_WITHIN_S, rel=0.1)

    def test_it_follows_at_the_same_pace_at_any_sampling_rate(self) -> None:
        after_a_second = []
        for rate_hz in (5, 30):
            cropper = Cropper(STEADY, 1.0)
            cropper.boxes(0.0, [person(0)])
            for k in range(1, rate_hz + 1):
                (box,) = cropper.boxes(k / rate_hz, [person(100)])
            after_a_second.append(centre_x(box))
        assert after_a_second[0] == pytest.approx(after_a_second[1])

    def test_after_a_long_absence_it_starts_at_the_person(self) -> None:
        cropper = Cropper(STEADY, 1.0)
        cropper.boxes(0.0, [person(0)])
        assert cropper.boxes(0.9, []) == []
        assert centre_x(cropper.boxes(1.5, [person(400)])[0]) == 450

    def test_people_do_not_pull_at_each_other(self) -> None:
        cropper = Cropper(STEADY, 1.0)
        for k in range(30):
            left, right = cropper.boxes(k / 15, [person(0, 1), person(300, 2)])
        assert (centre_x(left), centre_x(right)) == (50, 350)

    def test_without_it_the_crop_is_around_the_box(self) -> None:
        cropper = Cropper(STEADY._replace(steady=False), 1.0)
        cropper.boxes(0.0, [person(0)])
        assert cropper.boxes(0.1, [person(90)]) == [person(90).box_xyxy]


class TestSurroundings:
    @pytest.mark.parametrize(
        ("x", "columns"), [(0, (0, 100)), (120, (120, 220)), (290, (200, 300))], ids=["left", "middle", "right"]
    )
    def test_the_largest_square_that_stays_in_the_picture(self, x: int, columns: tuple[int, int]) -> None:
        rgb = np.random.default_rng(0).integers(0, 256, (100, 300, 3), np.uint8)
        crop = surroundings_crop(rgb, box := (x + 40, 20, x + 60, 60), box, size_px=100)
        np.testing.assert_array_equal(crop, rgb[:, slice(*columns)])

    def test_in_an_upright_picture_it_moves_up_and_down(self) -> None:
        rgb = np.random.default_rng(0).integers(0, 256, (300, 100, 3), np.uint8)
        crop = surroundings_crop(rgb, box := (20, 240, 60, 280), box, size_px=100)
        np.testing.assert_array_equal(crop, rgb[200:300])

    def test_nobody_else_is_in_them(self) -> None:
        """Regression: a person behind a cook was labelled as flipping pancakes, because the crop showed the cook."""
        rgb = np.full((200, 200, 3), 255, np.uint8)
        own, other = (20, 40, 80, 160), (60, 20, 140, 180)
        crop = surroundings_crop(rgb, own, own, [other], size_px=100)
        covered = (crop == PAD_RGB).all(axis=2)
        expected = np.zeros((100, 100), bool)
        expected[10:90, 30:70] = True
        expected[20:80, 10:40] = False  # where both overlap, the person is visible
        np.testing.assert_array_equal(covered, expected)
        assert (rgb == 255).all()

    def test_a_person_outside_the_square_covers_nothing(self) -> None:
        rgb = np.full((100, 300, 3), 255, np.uint8)
        own = (20, 20, 60, 80)
        assert (surroundings_crop(rgb, own, own, [(250, 10, 290, 90)], size_px=100) == 255).all()

    def test_each_person_is_seen_without_the_others(self) -> None:
        rgb = np.full((200, 200, 3), 255, np.uint8)
        people = [person(0), person(100, 2)]
        _, kept = Cropper(STEADY._replace(surroundings=True), 1.0).cut(rgb, 0.0, people)
        around = [np.asarray(one) for one in kept]
        for own, other, seen in ((0, 1, around[0]), (1, 0, around[1])):
            for who, colour in ((own, 255), (other, PAD_RGB)):
                x1, y1, x2, y2 = people[who].box_xyxy
                x, y = round((x1 + x2) / 2 * CROP_SIZE_PX / 200), round((y1 + y2) / 2 * CROP_SIZE_PX / 200)
                assert (seen[y, x] == colour).all()

    def test_people_who_share_a_square_get_what_each_alone_would_get(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(0)
        rgb = rng.integers(0, 256, (240, 640, 3), np.uint8)
        people = [person(x, k + 1) for k, x in enumerate((20.0, 60.0, 300.0, 560.0, 620.0))]
        resized: list[int] = []

        def resize(*arguments: object, **named: object) -> object:
            resized.append(1)
            return of_opencv(*arguments, **named)  # type: ignore[call-overload]

        of_opencv = cv2.resize
        monkeypatch.setattr(cv2, "resize", resize)
        _, around = Cropper(CropStyle(10, steady=False, surroundings=True), 1.0).cut(rgb, 0.0, people)
        assert len(resized) == 3, "two at each end share one, and nobody's crop is enlarged yet"
        for k, one in enumerate(people):
            others = [other.box_xyxy for other in people if other is not one]
            np.testing.assert_array_equal(around[k], surroundings_crop(rgb, one.box_xyxy, one.box_xyxy, others))

    def test_they_are_cut_only_if_the_style_includes_them(self) -> None:
        rgb = np.zeros((200, 300, 3), np.uint8)
        people = [person(0), person(100, 2)]
        crops, around = Cropper(STEADY, 1.0).cut(rgb, 0.0, people)
        assert (len(crops), around) == (2, ())
        crops, around = Cropper(STEADY._replace(surroundings=True), 1.0).cut(rgb, 0.0, people)
        assert len(crops) == len(around) == 2
        assert around[0].shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3)
