"""The entries of a comparison: the settings that may differ, and their names."""

from __future__ import annotations

import pytest

from recognizer.comparison.model import ENTRY_SETTINGS, check_comparable, names_of
from recognizer.errors import SettingsError
from recognizer.settings import SETTING_SPECS, Settings, recommended
from tests.support.settings import another

EIGHT = Settings(video_classifier_model="i3d", num_video_sequence_samples=8)
FOUR = Settings(video_classifier_model="i3d", num_video_sequence_samples=4)
OTHER = Settings(video_classifier_model="mc3_18")


@pytest.mark.parametrize("name", list(SETTING_SPECS))
def test_entries_may_differ_in_what_does_not_decide_the_pass_and_their_names_say_how(name: str) -> None:
    both = [Settings(), another(name)]
    if SETTING_SPECS[name].scope.decides_pass:
        assert name not in ENTRY_SETTINGS
        with pytest.raises(SettingsError, match=rf"^{name} is .* give all classifiers of a comparison the same"):
            check_comparable(both)
    else:
        assert name in ENTRY_SETTINGS
        check_comparable(both)
        assert len(set(names_of(both))) == 2
        assert not any("(1)" in one for one in names_of(both))


def test_names_tell_apart_what_differs_and_no_more() -> None:
    own = Settings(video_classifier_model="mc3_18", checkpoint_path="/a/fight.pth", labels_path="/a/l.txt")
    same_name = Settings(video_classifier_model="mc3_18", checkpoint_path="/b/fight.pth", labels_path="/b/l.txt")
    assert names_of([EIGHT, OTHER]) == ("i3d", "mc3_18")
    assert names_of([EIGHT, FOUR, own]) == ("i3d, 8 samples", "i3d, 4 samples", "mc3_18:fight")
    assert names_of([own, same_name]) == ("mc3_18:fight (1)", "mc3_18:fight (2)")
    wide = Settings(video_classifier_model="i3d", crop_margin_percentage=50)
    assert names_of([EIGHT, wide]) == ("i3d, margin 10 %", "i3d, margin 50 %")
    assert names_of([FOUR, wide]) == ("i3d, 4 samples, margin 10 %", "i3d, 8 samples, margin 50 %")
    best = recommended(Settings(video_classifier_model="i3d"))
    assert names_of([EIGHT, best])[1] == (
        "i3d, 38 samples, overlap 0.5, steady, with surroundings, calibrated, smoothing 1 s"
    )
