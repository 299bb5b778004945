"""Explain in one sentence why a file is not a video: the fact, the value, the remedy."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av

from recognizer.errors import VideoError, one_line
from recognizer.files import size_text

_HEAD_BYTES = 4096
_LONGEST_NAME = 80

_PICTURE_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"8BPS", "Photoshop"),
    (b"GIF8", "GIF"),
    (b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
)
_STILL_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"avif": "AVIF"}
_AUDIO_MAGIC = (b"ID3", b"fLaC", b"OggS", b"#!AMR", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9")
_ARCHIVE_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or an office document", "unpack it and choose the video in it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it and choose the video in it"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it and choose the video in it"),
    (b"Rar!", "a RAR archive", "unpack it and choose the video in it"),
    (b"%PDF", "a PDF document", "choose a video file"),
    (b"\x7fELF", "a program", "choose a video file"),
    (b"MZ", "a program", "choose a video file"),
)
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_JPEG_SEARCH_BYTES = 1 << 20
_LEAST_JPEG_JOINTS = 2
"""A stereo photo (MPO) is two pictures with one joint."""

_PLAYLIST = re.compile(
    rb"#EXTM3U|ffconcat\b|\[playlist\]|\[Reference\]|<asx\b|<\?wpl|<smil\b|RTSPtext|v=0\r?\no=|(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(MPD|smil|asx)\b",
    re.IGNORECASE | re.DOTALL,
)


class TooMuchMemoryError(VideoError):
    """A file asks for more memory than there is, or than its decoder may have."""


def display_name(path: str | os.PathLike[str]) -> str:
    """Return a file's base name in quotes: one line, no control or direction characters, at most 80 characters.

    HTML and Markdown are not removed; a page must escape them.
    """
    name = os.path.basename(os.fspath(path).rstrip("/")) or os.fspath(path)  # noqa: PTH119 (Path drops a trailing "/.")
    clean = one_line(name)
    if len(clean) > _LONGEST_NAME:
        clean = f"{clean[:50]}…{clean[-29:]}"
    return f"'{clean}'"


def check_file(path: Path, shown: str, max_file_bytes: int | None = None) -> None:
    """Refuse anything but a readable, regular, non-empty file within the limit.

    Raises:
        VideoError: the message says which condition fails.
    """
    try:
        if path.is_dir():
            raise VideoError(f"{shown} is a folder; choose a video file in it.")
        if path.exists() and not path.is_file():
            raise VideoError(f"{shown} is a device or a pipe; choose a video file.")
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise VideoError(_os_error_sentence(error, shown)) from error
    if size_bytes == 0:
        raise VideoError(f"{shown} is empty, 0 bytes; copy or download it again.")
    if max_file_bytes is not None and size_bytes > max_file_bytes:
        raise VideoError(
            f"{shown} has {size_text(size_bytes)}, the limit is {size_text(max_file_bytes)};"
            " cut it into shorter pieces or raise the limit."
        )


def refuse_still_picture(path: Path, shown: str) -> None:
    """Refuse HEIC and AVIF photographs, which have MP4's container and would open as a video of one frame.

    Raises:
        VideoError: it is one of these.
    """
    kind = _still_brand(_head(path))
    if kind is not None:
        raise VideoError(f"{shown} is a picture ({kind}), not a video; choose a video file.")


def is_motion_jpeg(path: Path) -> bool:
    """Return whether the file is a row of JPEG pictures, as cameras store; FFmpeg takes a short row for a photo."""
    if not _head(path).startswith(_JPEG_START):
        return False
    with path.open("rb") as file:
        return file.read(_JPEG_SEARCH_BYTES).count(_JPEG_END + _JPEG_START) >= _LEAST_JPEG_JOINTS


def explain_open_failure(path: Path, shown: str, error: Exception) -> VideoError:
    """Return the error for a file that FFmpeg does not open."""
    if isinstance(error, (PermissionError, FileNotFoundError)) and not os.access(path, os.R_OK):
        return VideoError(_os_error_sentence(error, shown))
    return VideoError(describe_content(path, shown) or f"{shown} is not a video that can be read; choose another file.")


@contextmanager
def memory_refusal(shown: str) -> Iterator[None]:
    """Turn a lack of memory within the block, FFmpeg's own included, into the error for this file.

    Raises:
        TooMuchMemoryError: there was one.
    """
    try:
        yield
    except MemoryError as error:
        raise TooMuchMemoryError(
            f"{shown} asks for more memory than this computer gives, so it is damaged or its pictures are too large;"
            " copy it again, or convert it to a smaller size."
        ) from error


def describe_content(path: Path, shown: str) -> str | None:
    """Return a sentence about the file's type if its first bytes explain why it is not a video, else None."""
    head = _head(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _PLAYLIST.match(text):
        return f"{shown} is a playlist that points to other files, not a video; choose the video itself."
    kind = _still_brand(head) or next((kind for magic, kind in _PICTURE_MAGIC if head.startswith(magic)), None)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = "WebP"
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == path.stat().st_size:
        kind = "BMP"
    if kind is not None:
        return f"{shown} is a picture ({kind}), not a video; choose a video file."
    for magic, what, remedy in _ARCHIVE_MAGIC:
        if head.startswith(magic):
            return f"{shown} is {what}, not a video; {remedy}."
    if head.startswith(_AUDIO_MAGIC) or (head[:4], head[8:12]) in {(b"RIFF", b"WAVE"), (b"FORM", b"AIFF")}:
        return f"no video stream in {shown}; it holds audio only; choose a file with pictures."
    if not head.strip(b"\0"):
        return f"{shown} starts with nothing but zeros, so its copy did not finish; copy or download it again."
    if _lacks_index(path):
        return f"{shown} is incomplete, its index is missing; copy or download it again."
    if _is_text(head):
        return f"{shown} is a text file, not a video; choose a video file."
    return None


def is_encrypted_mp4(path: Path) -> bool:
    """Return whether the index of an MP4 file lists encrypted video (ISO/IEC 23001-7, sample entry ``encv``)."""
    with path.open("rb") as file:
        return any(
            b"encv" in _read(file, start, min(size, 1 << 20)) for kind, start, size in _boxes(file) if kind == b"moov"
        )


def _os_error_sentence(error: Exception, shown: str) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        return f"there is no file {shown}; check its name and folder."
    if isinstance(error, PermissionError):
        return f"{shown} may not be read, permission is denied; change its permissions or choose another file."
    reason = (getattr(error, "strerror", None) or type(error).__name__).rstrip(".").lower()
    return f"{shown} cannot be read, the system says {reason!r}; copy it to this computer and try again."


def write_failure(shown: str, error: OSError | av.FFmpegError) -> VideoError:
    """Return the error for a video that cannot be written."""
    reason = (getattr(error, "strerror", None) or type(error).__name__).rstrip(".").lower()
    return VideoError(
        f"{shown} cannot be written, the system says {reason!r}; choose another folder or free some space."
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _still_brand(head: bytes) -> str | None:
    return _STILL_BRANDS.get(head[8:12]) if head[4:8] == b"ftyp" else None


def _is_text(head: bytes) -> bool:
    # the end of the head may cut a character in two
    text = head.decode("utf-8", errors="ignore")
    if len(text.encode()) < len(head) - 3:
        return False
    return not any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f" for letter in text)


def _lacks_index(path: Path) -> bool:
    """Return whether this is an MP4 or MOV file without its ``moov`` box (ISO/IEC 14496-12, 8.2.1)."""
    with path.open("rb") as file:
        kinds = [kind for kind, _, _ in _boxes(file)]
    return bool(kinds) and kinds[0] in {b"ftyp", b"wide", b"mdat", b"free", b"skip"} and b"moov" not in kinds


def _boxes(file: BinaryIO) -> list[tuple[bytes, int, int]]:
    """Return kind, start of the content and its size in bytes for each top-level box, up to the first invalid one."""
    found: list[tuple[bytes, int, int]] = []
    end = os.fstat(file.fileno()).st_size
    position = 0
    while position + 8 <= end and len(found) < 1000:
        header = _read(file, position, 16)
        size, kind, start = int.from_bytes(header[:4]), header[4:8], position + 8
        if size == 1:  # a 64-bit size follows
            size, start = int.from_bytes(header[8:16]), position + 16
        elif size == 0:  # up to the end of the file
            size = end - position
        if size < start - position or not kind.isascii():
            break
        found.append((kind, start, position + size - start))
        position += size
    return found


def _read(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)
