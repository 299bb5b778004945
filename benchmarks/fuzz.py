"""Does any file crash the program, hang it, or raise something else than its own errors?

    .venv/bin/python -m benchmarks.fuzz --n 10000 --seed 1 [--first 3000] [--processes 2] [--folder FOLDER] [--again]
    .venv/bin/python -m benchmarks.fuzz --seed 1 --only 4711

Small valid videos and documents are made on the spot. Case k of a seed is always the same mutant of one of them. Each
case runs in a process of its own with limits of memory, processor time and file size: videos are probed, decoded,
previewed, written, analyzed with a scripted detector, exported and drawn; documents are read and applied. The outcomes:

    read        everything worked
    sentence    a stage refused the file with one of the program's own errors
    exception   another error left the program
    crash       the process was ended by a signal
    hang        it used up its processor time, or did not end

Results are kept in the folder, by default one outside of the repository, with the files of the last three outcomes, and
an interrupted run goes on where it stopped. The exit code is 1 if there is one of the last three.

The decoder runs in the case's own process (``RECOGNIZER_DECODER=inline``): a crash there is to be seen.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

os.environ.setdefault("RECOGNIZER_DECODER", "inline")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.fuzz_files import mutant
from benchmarks.fuzz_stages import Stage, stages_of
from recognizer.errors import RecognizerError
from recognizer.processes import address_space_bytes

_REPOSITORY: Final = Path(__file__).resolve().parents[1]
OUTCOMES: Final = ("read", "sentence", "exception", "crash", "hang")
FINDINGS: Final = OUTCOMES[2:]


@dataclass(frozen=True)
class Limits:
    """What a case may use.

    Attributes:
        memory_bytes: address space beyond that of the process it is forked from.
        processor_s: processor time.
        wall_s: time until it counts as hanging, even if it uses no processor time.
        file_bytes: size of a file that it writes.
    """

    memory_bytes: int
    processor_s: int = 30
    wall_s: float = 180.0
    file_bytes: int = 200_000_000


@dataclass(frozen=True)
class Result:
    """What became of a case.

    Attributes:
        case: its number.
        name: the valid file that it is a mutant of.
        outcome: one of ``OUTCOMES``.
        detail: the error or signal of a finding.
        stages: outcome by stage, as far as they were reached.
        peak_mb: most memory that the process had.
        took_s: wall time.
    """

    case: int
    name: str
    outcome: str
    detail: str = ""
    stages: dict[str, str] = field(default_factory=dict)
    peak_mb: float = 0.0
    took_s: float = 0.0


@dataclass(frozen=True)
class _Running:
    case: int
    name: str
    pid: int
    report: int
    scratch: Path
    began_s: float


class Fuzzer:
    """Runs cases in forked processes, a few at a time."""

    def __init__(self, seed: int, folder: Path, limits: Limits) -> None:
        self._seed = seed
        self._folder = folder
        self._limits = limits
        self._seeds = _seeds_in(folder / "seeds")
        # forked processes share this one's memory as long as nobody writes to it
        gc.collect()
        gc.freeze()

    def run(self, cases: Iterator[int], processes: int) -> Iterator[Result]:
        """Yield the result of each case, in the order in which they end."""
        running: dict[int, _Running] = {}
        try:
            while True:
                while len(running) < processes and (case := next(cases, None)) is not None:
                    one = self._start(case)
                    running[one.report] = one
                if not running:
                    return
                for report in self._ended(running):
                    yield self._result(running.pop(report))
        finally:
            for one in running.values():
                self._result(one)

    def _ended(self, running: dict[int, _Running]) -> list[int]:
        latest_s = min(one.began_s for one in running.values()) + self._limits.wall_s
        ready, _, _ = select.select(list(running), [], [], max(0.0, latest_s - time.monotonic()))
        late = [report for report, one in running.items() if time.monotonic() - one.began_s > self._limits.wall_s]
        return ready or late

    def _start(self, case: int) -> _Running:
        name, content = mutant(self._seeds, random.Random(f"{self._seed}:{case}"))  # noqa: S311 - repeatable
        scratch = self._folder / f"case-{case}"
        scratch.mkdir(exist_ok=True)
        (scratch / name).write_bytes(content)
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            _be_the_case(scratch / name, theirs, self._limits)
        os.close(theirs)
        return _Running(case, name, pid, ours, scratch, time.monotonic())

    def _result(self, one: _Running) -> Result:
        took_s = time.monotonic() - one.began_s
        is_late = took_s > self._limits.wall_s
        if is_late:
            os.killpg(one.pid, signal.SIGKILL)
        with os.fdopen(one.report, "rb") as report:
            said = report.read()
        _, status, used = os.wait4(one.pid, 0)
        self._end_group(one.pid)
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        peak_mb = used.ru_maxrss / 1024
        if is_late or number in {signal.SIGXCPU, signal.SIGKILL}:
            result = Result(one.case, one.name, "hang", f"{took_s:.0f} s", {}, peak_mb, took_s)
        elif number or not said:
            ended_by = signal.Signals(number).name if number else f"exit {os.waitstatus_to_exitcode(status)}"
            result = Result(one.case, one.name, "crash", ended_by, {}, peak_mb, took_s)
        else:
            outcome, detail, stages = json.loads(said)
            result = Result(one.case, one.name, outcome, detail, stages, peak_mb, took_s)
        self._put_away(one, result)
        return result

    def _end_group(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it left nothing running

    def _put_away(self, one: _Running, result: Result) -> None:
        if result.outcome in FINDINGS:
            kept = self._folder / "findings"
            kept.mkdir(exist_ok=True)
            shutil.copy(one.scratch / one.name, kept / f"{one.case}-{one.name}")
        shutil.rmtree(one.scratch, ignore_errors=True)


def _seeds_in(folder: Path) -> list[Path]:
    """Return the small valid files; write them if they are missing, in a process whose encoders leave no threads."""
    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.fuzz_files", part],
            cwd=_REPOSITORY,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        part.rename(folder)
    return sorted(folder.iterdir())


def _be_the_case(file: Path, report: int, limits: Limits) -> None:
    """Run the stages in this forked process, report, and end it."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes() + limits.memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_s, limits.processor_s + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes,) * 2)
    said = outcome_of(stages_of(file.name), file)
    os.write(report, json.dumps(said).encode()[:60_000])
    os._exit(0)


def outcome_of(stages: dict[str, Stage], file: Path) -> tuple[str, str, dict[str, str]]:
    """Return outcome, detail and the outcome of each stage; a file that the first one refuses goes no further."""
    reached: dict[str, str] = {}
    for name, stage in stages.items():
        try:
            stage(file, file.parent)
        except RecognizerError as error:
            reached[name] = "sentence"
            if not _is_sentence(str(error)):
                return "exception", f"{name}: not a sentence: {str(error)[:300]!r}", reached
            if len(reached) == 1:
                break
        except BaseException as error:  # noqa: BLE001 - every other error is a finding
            reached[name] = "exception"
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{name}: {type(error).__name__}: {str(error)[:200]} ({Path(where.filename).name}:{where.lineno})"
            return "exception", text, reached
        else:
            reached[name] = "read"
    return ("sentence" if "sentence" in reached.values() else "read"), "", reached


def _is_sentence(message: str) -> bool:
    return message.endswith(".") and message.isprintable()


def _earlier(file: Path) -> dict[int, Result]:
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    results = (Result(**json.loads(line)) for line in lines if line.endswith("}"))
    return {one.case: one for one in results}


def _summary(results: list[Result]) -> Iterator[str]:
    count = Counter(one.outcome for one in results)
    yield "  ".join(f"{outcome} {count[outcome]}" for outcome in OUTCOMES)
    stages = Counter((stage, outcome) for one in results for stage, outcome in one.stages.items())
    for stage in dict.fromkeys(stage for stage, _ in stages):
        yield f"  {stage:<12}" + "  ".join(f"{word} {stages[stage, word]:>6}" for word in OUTCOMES[:3])
    if results:
        slowest, largest = max(results, key=lambda one: one.took_s), max(results, key=lambda one: one.peak_mb)
        yield f"longest: case {slowest.case}, {slowest.took_s:.1f} s"
        yield f"largest: case {largest.case}, {largest.peak_mb:.0f} MB"


def _show(one: Result) -> None:
    print(f"case {one.case}, a mutant of {one.name}: {one.outcome}: {one.detail}", flush=True)


def main() -> None:
    """Run the cases and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000, help="number of cases (default 1000), those before --first too")
    parser.add_argument("--first", type=int, default=0, help="leave out the cases before this one, run elsewhere")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="cases at a time")
    parser.add_argument("--memory-mb", type=int, default=2000, help="address space of a case (default 2000)")
    parser.add_argument("--folder", type=Path, help="where results and findings are kept")
    parser.add_argument("--again", action="store_true", help="forget the results of an earlier run")
    parser.add_argument("--only", type=int, help="run this case alone, and show what became of it")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.gettempdir()) / f"recognizer-fuzz-{options.seed}").resolve()
    if folder.is_relative_to(_REPOSITORY):
        sys.exit(f"'{folder}' is in the repository, where files that crash something do not belong; give another one.")
    folder.mkdir(parents=True, exist_ok=True)
    fuzzer = Fuzzer(options.seed, folder, Limits(options.memory_mb * 1_000_000))
    if options.only is not None:
        for one in fuzzer.run(iter((options.only,)), 1):
            print(json.dumps(asdict(one), indent=2))
        return
    log = folder / "results.jsonl"
    if options.again:
        log.unlink(missing_ok=True)
    results = _earlier(log)
    for one in results.values():
        if one.outcome in FINDINGS:
            _show(one)
    left = (case for case in range(options.first, options.n) if case not in results)
    with log.open("a", encoding="utf-8") as file:
        for one in fuzzer.run(left, options.processes):
            results[one.case] = one
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            if one.outcome in FINDINGS:
                _show(one)
            if not len(results) % 500:
                print(f"{len(results)} of {options.n}", flush=True)
    print(f"{len(results)} cases of seed {options.seed}; files of findings are in {folder / 'findings'}")
    print("\n".join(_summary(list(results.values()))))
    gc.unfreeze()  # some libraries list what is left at the exit
    sys.exit(any(one.outcome in FINDINGS for one in results.values()))


if __name__ == "__main__":
    main()
