"""``python -m recognizer doctor``: describes this machine and how it runs each network."""

from __future__ import annotations

import argparse
import platform
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

from recognizer.classifier_specs import spec_of
from recognizer.cli.terminal import fetching, print_table, remark, table
from recognizer.errors import SettingsError
from recognizer.networks.bounds import CLASSIFIER_BOUND, DETECTOR_BOUND_PX
from recognizer.settings import CLASSIFIER_NAMES, DETECTOR_NAMES, Settings

if TYPE_CHECKING:
    from recognizer.networks.backends.choice_store import Choice

_DESCRIPTION = """\
Describe this machine and how it runs each network: the library and number
format, the time for one clip or picture, and the difference of the output from
PyTorch in float32. A network that has not run yet is measured now, which takes
up to a minute. Without names, show the networks whose weights are downloaded.
To measure again, remove the folder backends in the cache.
"""
_EPILOG = """\
difference: for classifiers, the difference of the scores as a share of their
spread (root mean squares), at most {}. For detectors, the distance of the
boxes of people drawn in a picture of 640 pixels, in pixels at the 95th
percentile, at most {}. openvino-bfloat16 leaves a detector's head in float32.
A way of running a network that exceeds it is not used.
int8, with a table of ranges: only for clips of about the recommended length;
shorter ones run in the fastest other way with at most half of that difference.
mixed: int8 where most of the work is, bfloat16 or float32 elsewhere.

examples:
  python -m recognizer doctor
  python -m recognizer doctor i3d yolo26n.pt
"""


def add_command(commands: Any) -> None:
    """Add ``doctor`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="show how the networks run on this machine",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(CLASSIFIER_BOUND, DETECTOR_BOUND_PX),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these networks; missing ones are downloaded")
    parser.add_argument("--device", default=Settings.device, metavar="NAME", help="what they run on (default: auto)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--verbose", action="store_true", help="log each step on standard error")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, stdout: IO[str]) -> int:
    """Print both tables and return the exit code.

    Raises:
        SettingsError: the network or the device does not exist.
        WeightsError: weights of a named network are unavailable.
    """
    known = (*DETECTOR_NAMES, *CLASSIFIER_NAMES)
    for name in options.names:
        if name not in known:
            raise SettingsError(f"there is no network '{name}'; choose from {', '.join(known)}.")
    settings = Settings(device=options.device)
    from recognizer import weights

    _print_machine(settings, stdout)
    ways = table(
        {"Network": False, "Measured on": False, "Way": False, "ms": True, "±": True, "Difference": True, "": False},
    )
    for name in options.names or [name for name in known if weights.is_here(name)]:
        with fetching(f"measuring how {name} runs fastest here", quiet=options.quiet) as progress:
            choice = _choice(name, settings, progress)
        _add_rows(ways, name, _measured_on(name, choice), choice)
    print_table("Networks (ms of one core for one clip or picture)", ways, stdout)
    return 0


def _choice(name: str, settings: Settings, progress: Any) -> Choice:
    from recognizer.networks import loading

    if name in DETECTOR_NAMES:
        return loading.detector_choice(replace(settings, model=name), progress)
    return loading.classifier_choice(replace(settings, video_classifier_model=name), progress)


def _measured_on(name: str, choice: Choice) -> str:
    if name in DETECTOR_NAMES:
        return "a picture"
    samples = spec_of(name).recommended_samples if _has_table(choice) else Settings.num_video_sequence_samples
    return f"{samples} samples"


def _has_table(choice: Choice) -> bool:
    """Return whether a table of ranges allows int8: only with one, there is ``mixed``."""
    return any(one.way.endswith("-mixed") for one in choice.measured)


def _print_machine(settings: Settings, stdout: IO[str]) -> None:
    import torch

    from recognizer.networks.backends import openvino
    from recognizer.networks.backends.choice_store import library_versions, machine
    from recognizer.networks.backends.ways import has_bfloat16, has_int8
    from recognizer.networks.devices import resolve_device

    facts = machine()
    listed = table({"Machine": False, " ": False})
    listed.add_row("processor", f"{facts['processor']} ({facts['architecture']}), {facts['cores']} cores")
    listed.add_row("bfloat16", "yes" if has_bfloat16() else "no, only imitated")
    listed.add_row("int8", "yes" if has_int8() else "no (neither VNNI nor AMX)")
    gpus = (
        [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    listed.add_row("GPU", ", ".join(gpus) or ("Apple (mps)" if torch.backends.mps.is_available() else "none"))
    listed.add_row("networks run on", str(resolve_device(settings.device)))
    listed.add_row("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
    listed.add_row("libraries", ", ".join(f"{name} {version}" for name, version in library_versions().items()))
    print_table("This machine", listed, stdout)
    problem = openvino.problem()
    if problem is not None:
        remark(f"OpenVINO cannot be used, so PyTorch runs every network: {problem}")


def _add_rows(ways: Any, name: str, measured_on: str, choice: Choice) -> None:
    if not choice.measured:
        ways.add_row(name, "", choice.way.name, "", "", "", "the only way here")
    short = choice.for_short(["int8"], CLASSIFIER_BOUND) if _has_table(choice) else choice.way
    for one in choice.measured:
        milliseconds = "" if one.milliseconds is None else f"{one.milliseconds:.1f}"
        spread = "" if one.spread is None else f"{one.spread:.0%}"
        difference = "" if one.difference is None else f"{one.difference:.2g}"
        verdict = one.problem or ("for short clips" if one.way == short.name else "")
        if one.way == choice.way.name:
            verdict = "chosen"
        ways.add_row(name, measured_on, one.way, milliseconds, spread, difference, verdict)
