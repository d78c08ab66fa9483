"""Hostile inputs and places, each in a process of its own: bombs, small machines, names, signals.

    python benchmarks/hostile.py                     all
    python benchmarks/hostile.py --only bombs

A fault is a traceback, an exit code that is not of the list, more than a minute, more than 1.5 GB,
or a file left over.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutants import samples

_PROGRAM = (sys.executable, "-m", "unflicker")
_LONGEST_SECONDS = 60.0
_MOST_MB = 1536
_CODES = (0, 2, 3, 4, 5, 7)
_SIGNALS = 60
_NAMES = (
    "-x.mp4",
    "a\nb.mp4",
    "a\x1b[31mb.mp4",
    "a" * 251 + ".mp4",
    "%04d.mp4",
    "a:b.mp4",
    " .mp4",
    "ü\udcff.mp4",
    "film.MP4",
    "'\";$(x).mp4",
    "http:film.mp4",
    "<b>.mp4",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call of the program."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    """Of its own; what the case may leave is in `leaves`."""
    leaves: tuple[str, ...] = ()
    codes: tuple[int, ...] = _CODES
    environment: dict[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    """Called in the new process, for limits."""
    stdin: Any = subprocess.DEVNULL
    signal_after: tuple[int, float] | None = None
    """A signal, and the seconds until it is sent."""


def main() -> None:
    """Run the cases from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=sorted(_PARTS), default=None)
    parser.add_argument("--match", default="", help="only cases with this in their name")
    given = parser.parse_args()
    faults = count = 0
    for part in [given.only] if given.only else _PARTS:
        with tempfile.TemporaryDirectory() as folder:
            for case in _PARTS[part](Path(folder)):
                if given.match not in case.name:
                    continue
                found = _checked(case)
                count += 1
                faults += bool(found)
                for line in found:
                    sys.stdout.write(f"{part}, {case.name}: {line}\n")
                    sys.stdout.flush()
    sys.stdout.write(f"{count} cases, {faults} with a fault\n")
    sys.exit(faults > 0)


def _checked(case: Case) -> list[str]:
    before = {path.name for path in case.folder.iterdir()}
    with tempfile.TemporaryFile() as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [*_PROGRAM, *case.arguments],
            stdin=case.stdin,
            stdout=log,
            stderr=log,
            env={**os.environ, **case.environment},
            cwd=case.folder,
            preexec_fn=case.before,
        )
        if case.signal_after is not None:
            number, seconds = case.signal_after
            time.sleep(seconds)
            process.send_signal(number)
        code, peak_mb = _end_of(process)
        seconds = time.monotonic() - began
        log.seek(0)
        said = log.read().decode(errors="replace")
    last = " | ".join(said.strip().splitlines()[-3:])[-400:]
    faults = []
    if code not in case.codes:
        faults.append(f"exit code {code}: {last}")
    if _is_traceback_of_ours(said) or "internal error" in said:
        faults.append(f"a traceback: {last}")
    if seconds > _LONGEST_SECONDS:
        faults.append(f"took {seconds:.0f} s: {last}")
    if peak_mb > _MOST_MB:
        faults.append(f"took {peak_mb:.0f} MB: {last}")
    left = {path.name for path in case.folder.iterdir()} - before - set(case.leaves)
    if left:
        faults.append(f"left over: {sorted(left)}; {last}")
    return faults


def _is_traceback_of_ours(said: str) -> bool:
    """Whether there is a traceback, and not of a signal while Python itself started."""
    files = re.findall(r'  File "([^"]+)"', said)
    starting = files and all(file.startswith("<frozen") for file in files)
    return "Traceback" in said and not (starting and "KeyboardInterrupt" in said)


def _end_of(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Exit code of a process, below zero for a signal, and its peak memory in MB."""
    ends = time.monotonic() + 2 * _LONGEST_SECONDS
    while time.monotonic() < ends:
        try:
            number, status, used = os.wait4(process.pid, os.WNOHANG)
        except ChildProcessError:  # it ended before it was waited for
            return process.wait(), 0.0
        if number:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, used.ru_maxrss / 1024
        time.sleep(0.02)
    process.kill()
    process.wait()
    return -99, 0.0


def _whole(folder: Path) -> Path:
    """A folder with one small film."""
    folder.mkdir(parents=True)
    film = folder / "film.mp4"
    film.write_bytes(samples()[0].content)
    return film


def _fast(film: str, target: str = "out.mkv") -> tuple[str, ...]:
    return ("run", film, "-o", target, "--preset", "fast", "--jobs", "1", "--overwrite")


def _bombs(root: Path) -> Iterator[Case]:
    """Huge sizes from few bytes."""
    for width, height in ((65_535, 1), (1, 65_535), (16_000, 16_000), (65_535, 65_535)):
        name = f"{width}x{height}"
        for suffix, content in (
            ("gif", _gif(width, height)),
            ("avi", _as_avi(_png(width, height), width, height)),
        ):
            folder = root / f"{name}{suffix}"
            folder.mkdir()
            (folder / f"film.{suffix}").write_bytes(content)
            yield Case(
                name=f"{suffix} of {name}",
                arguments=_fast(f"film.{suffix}"),
                folder=folder,
                leaves=("out.mkv",),
            )
        folder = root / f"{name}png"
        (folder / "pictures").mkdir(parents=True)
        for index in range(2):
            (folder / "pictures" / f"{index}.png").write_bytes(_png(width, height))
        yield Case(
            name=f"pictures of {name}",
            arguments=_fast("pictures", "out/"),
            folder=folder,
            leaves=("out",),
        )
    folder = root / "empty packets"
    folder.mkdir()
    (folder / "film.avi").write_bytes(_empty_avi(1_000_000))
    yield Case(name="a million empty packets", arguments=_fast("film.avi"), folder=folder)
    folder = root / "mask"
    _whole(folder)
    (folder / "mask.png").write_bytes(_png(30_000, 30_000))
    yield Case(
        name="a mask of 30,000 px",
        arguments=(*_fast("film.mp4"), "--mask", "mask.png"),
        folder=folder,
    )


def _places(root: Path) -> Iterator[Case]:
    """Odd machines: little memory, few files, no place to write, odd locales."""
    for mb in (300, 600, 1000, 2000, 4000):
        folder = _whole(root / f"memory {mb}").parent
        yield Case(
            name=f"{mb} MB of addresses",
            arguments=_fast("film.mp4"),
            folder=folder,
            leaves=("out.mkv",),
            codes=(*_CODES, 6),
            before=_limit(resource.RLIMIT_AS, mb * 2**20),
        )
    for files in (8, 12, 16, 24, 40):
        folder = _whole(root / f"files {files}").parent
        yield Case(
            name=f"{files} open files",
            arguments=_fast("film.mp4"),
            folder=folder,
            leaves=("out.mkv",),
            before=_limit(resource.RLIMIT_NOFILE, files),
        )
    for size in (5_000, 20_000):
        folder = _whole(root / f"size {size}").parent
        yield Case(
            name=f"files of at most {size} bytes",
            arguments=_fast("film.mp4"),
            folder=folder,
            leaves=("out.mkv", ".out.mkv.unflicker-work"),
            before=_limit(resource.RLIMIT_FSIZE, size),
        )
    nowhere = {"TMPDIR": "/nowhere", "HOME": "/nowhere", "XDG_CACHE_HOME": "/nowhere/cache"}
    for name, environment in {
        "no home and no folder for temporary files": nowhere,
        "an empty home": {"HOME": ""},
        "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "a Latin-1 terminal": {"PYTHONIOENCODING": "latin-1"},
        "an ASCII terminal": {"PYTHONIOENCODING": "ascii"},
        "an unknown locale": {"LC_ALL": "xx_YY.UTF-99"},
        "no terminal": {"TERM": "", "COLUMNS": "0"},
    }.items():
        folder = _whole(root / name).parent
        arguments = (*_fast("film.mp4"), "--report", "r.html", "--progress", "bar")
        yield Case(
            name=name,
            arguments=arguments,
            folder=folder,
            leaves=("out.mkv", "r.html"),
            environment=environment,
        )
    folder = _whole(root / "closed").parent
    yield Case(
        name="closed standard streams",
        arguments=_fast("film.mp4"),
        folder=folder,
        leaves=("out.mkv",),
        before=lambda: (os.close(0), os.close(1), os.close(2), None)[-1],
    )


def _names(root: Path) -> Iterator[Case]:
    """Names that are odd, and inputs that are no files."""
    for number, name in enumerate(_NAMES):
        folder = root / f"name {number}"
        film = _whole(folder)
        place = folder / os.fsdecode(os.fsencode(name))
        film.rename(place)
        arguments = ("run", f"./{place.name}", "-o", "out/", "--preset", "fast")
        yield Case(
            name=ascii(name),
            arguments=(*arguments, "--report", "out/r.html"),
            folder=folder,
            leaves=("out",),
        )
        yield Case(
            name=f"analyze {name!a}",
            arguments=("analyze", f"./{place.name}", "--preset", "fast"),
            folder=folder,
        )
    folder = _whole(root / "pipe").parent
    os.mkfifo(folder / "pipe.mp4")
    yield Case(name="a pipe", arguments=_fast("pipe.mp4"), folder=folder, codes=(3,))
    for device in ("/dev/zero", "/dev/null", "/dev/tty", "/proc/self/mem", "/"):
        folder = _whole(root / f"device{device.replace('/', '_')}").parent
        yield Case(name=device, arguments=_fast(device), folder=folder, codes=(2, 3))
    folder = _whole(root / "links").parent
    (folder / "link.mp4").symlink_to("film.mp4")
    (folder / "circle.mp4").symlink_to("circle.mp4")
    yield Case(
        name="the result is a link to the film",
        arguments=_fast("film.mp4", "link.mp4"),
        folder=folder,
        codes=(4,),
    )
    yield Case(name="a circle", arguments=_fast("circle.mp4"), folder=folder, codes=(3,))
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    yield Case(name="a list", arguments=_fast("list.m3u8"), folder=folder, codes=(3,))
    (folder / "join.ffconcat").write_text("ffconcat version 1.0\nfile film.mp4\n")
    yield Case(
        name="a list of ffconcat",
        arguments=_fast("join.ffconcat"),
        folder=folder,
        leaves=("out.mkv",),
        codes=(0, 3),
    )


def _signals(root: Path) -> Iterator[Case]:
    """SIGINT and SIGTERM from the first millisecond on."""
    folder = _whole(root / "signals").parent
    drawn = random.Random(1)
    early = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    moments = [*early, *(drawn.uniform(0.1, 4.0) for _ in range(_SIGNALS // 2 - len(early)))]
    for seconds in moments:
        for number in (signal.SIGINT, signal.SIGTERM):
            yield Case(
                name=f"{number.name} after {seconds:.3f} s",
                arguments=_fast("film.mp4"),
                folder=folder,
                leaves=("out.mkv",),
                # A shell gives a program that a signal ended the same number.
                codes=(0, 128 + number, -number),
                signal_after=(number, seconds),
            )


def _limit(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


def _png(width: int, height: int) -> bytes:
    """A grey picture of one value, which takes a thousandth of its size."""
    pack = zlib.compressobj(9)
    row = bytes(1 + width)
    rows = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _gif(width: int, height: int) -> bytes:
    """An animation of two frames of one pixel on a huge screen."""
    frame = b"\x21\xf9\x04\x00\x0a\x00\x00\x00\x2c" + bytes(4) + b"\x01\x00\x01\x00\x00"
    frame += b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\x00\x00" + bytes(3) + b"\xff" * 3
    return head + 2 * frame + b"\x3b"


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _avi(codec: bytes, width: int, height: int, packets: bytes, count: int) -> bytes:
    """An AVI of packets that are made already."""
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, count, 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = b"vids" + codec + struct.pack("<10I", 0, 0, 0, 1, 25, 0, count, 0, 0, 0) + bytes(8)
    form = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, codec, 0, 0, 0, 0, 0)
    headers = _riff(b"avih", main)
    headers += _riff(b"LIST", b"strl" + _riff(b"strh", stream) + _riff(b"strf", form))
    lists = _riff(b"LIST", b"hdrl" + headers) + _riff(b"LIST", b"movi" + packets)
    return _riff(b"RIFF", b"AVI " + lists)


def _as_avi(picture: bytes, width: int, height: int) -> bytes:
    return _avi(b"MPNG", width, height, 2 * _riff(b"00dc", picture), 2)


def _empty_avi(count: int) -> bytes:
    return _avi(b"MJPG", 64, 48, count * _riff(b"00dc", b""), count)


_PARTS: dict[str, Callable[[Path], Iterator[Case]]] = {
    "bombs": _bombs,
    "places": _places,
    "names": _names,
    "signals": _signals,
}

if __name__ == "__main__":
    main()
