"""The limits of a server: where they come from, what is refused, what a hit limit says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from recognizer.errors import LimitError, RecognizerError, SettingsError
from recognizer.limits import (
    CONFIG_VARIABLE,
    LIMIT_PREFIX,
    Limits,
    LimitValue,
    duration_text,
    exceeded,
    limit_values,
    limits,
    rate_text,
    value_text,
)
from tests.support import limits_page


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Writes a file of limits and returns the environment that names it."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "some.toml"
        path.write_text(text, encoding="utf-8")
        return {CONFIG_VARIABLE: str(path)}

    return write


def named(values: tuple[LimitValue, ...], name: str) -> LimitValue:
    return next(one for one in values if one.name == name)


def test_every_limit_has_a_sentence_and_a_sane_default() -> None:
    for one in limit_values({"RECOGNIZER_DATA": "/nowhere"}):
        assert one.help.endswith("."), one.name
        assert one.origin == "default"
        assert one.text
    assert {one.name: one.value for one in limit_values({"RECOGNIZER_DATA": "/nowhere"})} == asdict(Limits())


def test_variable_wins_over_file_and_file_over_default(written: Callable[[str], dict[str, str]]) -> None:
    environment = written("max_runs = 7\nmax_people = 8\noperators = ['a@b.org']\n")
    values = limit_values(environment | {f"{LIMIT_PREFIX}MAX_RUNS": "9", f"{LIMIT_PREFIX}ALONE": "true"})
    assert named(values, "max_runs")[1:3] == (9, f"{LIMIT_PREFIX}MAX_RUNS")
    assert named(values, "max_people")[1:3] == (8, environment[CONFIG_VARIABLE])
    assert named(values, "operators").value == ("a@b.org",)
    assert named(values, "alone").value is True
    assert named(values, "max_frames").origin == "default"


def test_file_in_the_folder_of_data_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path))
    (tmp_path / "recognizer.toml").write_text("max_runs = 3\n", encoding="utf-8")
    limits.cache_clear()
    try:
        assert limits().max_runs == 3
    finally:
        limits.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_cats = 3", r"sets 'max_cats', which is not a limit; choose from max_upload_bytes, "),
        ("max_runs = '3'", r"max_runs in '.*some.toml' is '3'; give a whole number from 1 on\."),
        ("max_runs = 0", r"max_runs in .* is 0; give a whole number from 1 on\."),
        ("max_runs = true", r"max_runs in .* is True; give a whole number"),
        ("max_runs = 1.5", r"max_runs in .* is 1\.5; give a whole number"),
        ("min_free_bytes = -1", r"min_free_bytes in .* is -1; give a whole number from 0 on\."),
        ("alone = 'yes'", r"alone in .* is 'yes'; give true or false\."),
        ("operators = 'a@b.org'", r"operators in .* is 'a@b.org'; give a list of texts\."),
        ("max_runs == 3", r"is not TOML \(.*\); write lines like max_runs = 200\."),
    ],
)
def test_what_does_not_fit_is_refused(text: str, said: str, written: Callable[[str], dict[str, str]]) -> None:
    with pytest.raises(SettingsError, match=said):
        limit_values(written(text))


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("MAX_CATS", "3", "sets 'max_cats', which is not a limit"),
        ("MAX_RUNS", "many", "max_runs in RECOGNIZER_LIMIT_MAX_RUNS is 'many'"),
        ("ALONE", "perhaps", "alone in RECOGNIZER_LIMIT_ALONE is 'perhaps'; give true or false"),
    ],
)
def test_variable_that_does_not_fit_is_refused(
    variable: str, text: str, said: str, written: Callable[[str], dict[str, str]]
) -> None:
    with pytest.raises(SettingsError, match=said):
        limit_values(written("") | {f"{LIMIT_PREFIX}{variable}": text})


def test_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="which does not exist; name a TOML file"):
        limit_values({CONFIG_VARIABLE: str(tmp_path / "none.toml")})
    with pytest.raises(SettingsError, match="cannot be read"):
        limit_values({CONFIG_VARIABLE: str(tmp_path)})


def test_hit_limit_names_itself_its_value_and_who_can_raise_it(set_limits: Callable[..., None]) -> None:
    set_limits(max_upload_bytes=2_000_000)
    error = exceeded("max_upload_bytes", "'a.mp4' has 3.1 MB", "cut it into shorter pieces")
    assert isinstance(error, LimitError)
    assert isinstance(error, RecognizerError)
    assert str(error) == (
        "'a.mp4' has 3.1 MB, the limit is 2.0 MB; cut it into shorter pieces "
        "(max_upload_bytes: whoever runs this server can raise it)."
    )


def test_values_read_as_people_say_them() -> None:
    assert value_text("max_upload_bytes", 2 * 2**30) == "2.1 GB"
    assert value_text("max_video_s", 86400) == "24 h"
    assert value_text("max_frames", 6_000_000) == "6,000,000"
    assert value_text("alone", False) == "no"
    assert value_text("operators", ()) == "none"
    assert value_text("operators", ("a@b.org", "c@d.org")) == "a@b.org, c@d.org"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (40, "40 s"),
        (89.6, "90 s"),
        (100, "2 min"),
        (3540, "59 min"),
        (3599, "1 h"),
        (3 * 3600 + 19 * 60, "3 h 20 min"),
        (7200, "2 h"),
        (9 * 3600 + 59 * 60, "10 h"),
        (86400, "24 h"),
    ],
)
def test_lengths_of_time_are_rounded_as_estimates(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_documents_have_the_table_of_the_code() -> None:
    assert limits_page.in_page() == limits_page.table(), "run 'python -m tests.support.limits_page'"


@pytest.mark.parametrize(
    ("frames_per_s", "text"),
    [
        (0.0, "under 0.1 frames/s"),
        (0.45, "0.5 frames/s"),
        (1.0, "1.0 frames/s"),
        (9.94, "9.9 frames/s"),
        (9.96, "10 frames/s"),
        (131.6, "132 frames/s"),
    ],
)
def test_slow_work_is_not_said_to_stand_still(frames_per_s: float, text: str) -> None:
    """Fault: "0 frames/s, about 28 min left"."""
    assert rate_text(frames_per_s) == text
