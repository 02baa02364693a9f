"""What a run keeps on disk while it goes on, so that it can be resumed with the same bits.

A checkpoint holds the merged prefix of chunks, a ledger of them (a mark of each chunk's stream), and what the sampling
depends on. The file is a line of JSON, arrays end to end, and a SHA-256 of both; the one before it is kept beside it.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rareevents.engine import Prefix
from rareevents.files import flush_folder, remove_parts, write_whole
from rareevents.fingerprints import UnknownContentsError
from rareevents.moments import Moments

MAGIC = b"rareevents checkpoint 1\n"
EVERY = 1.0                   # seconds between two writes at least,
SHARE = 20                    # and this many times what a write takes
PREVIOUS = ".previous"        # is added to the name of the file before it
LONGEST = 24 * "0" + ".checkpoint"                            # a name in a folder, as the identity gives one
ARRAYS = ("marks", "draws", "counts", "terms", "weights", "largest")

folder: ContextVar[Path | None] = ContextVar("folder", default=None)      # of all estimates, where a caller set one


class CheckpointError(ValueError):
    """A checkpoint is of another run, or neither it nor the one before it can be read."""


class CheckpointWriteError(OSError):
    """A checkpoint cannot be written: a full disk, say. `estimate` is what had been computed, or None."""

    estimate: Any = None


@contextlib.contextmanager
def kept_in(place: Path) -> Iterator[None]:
    """Every estimate within keeps a checkpoint in a folder, named by what it samples."""
    token = folder.set(place)
    try:
        yield
    finally:
        folder.reset(token)


def require_place(checkpoint: Any) -> Path:
    """The path of a checkpoint or of a folder for it; raises unless a file can be made there, which is tried."""
    place = os.fspath(checkpoint) if isinstance(checkpoint, (str, os.PathLike)) else None
    if not isinstance(place, str):
        raise TypeError(f"checkpoint must be a path, got {checkpoint!r}")
    if not place or "\0" in place:
        raise ValueError(f"checkpoint must be the path of a file or of a folder, got {checkpoint!r}")
    path = Path(place)
    try:
        inside = path.is_dir()
        with tempfile.NamedTemporaryFile(dir=path if inside else path.parent,          # the longest name that is needed
                                         prefix=f".{LONGEST if inside else path.name}{PREVIOUS}.", suffix=".part"):
            return path
    except OSError as error:
        raise ValueError(f"checkpoint must be a file in a folder that can be written, got {place}: "
                         f"{error.strerror or error}") from None


class Checkpoint:
    """The file of one run.

    Parameters
    ----------
    path : path
        Of the file; of a folder in which the identity names it.
    identity : function
        () -> what the sampling depends on, by name: [digest, text for people]. Called once, when it is needed.

    Raises
    ------
    TypeError, ValueError
        If path is not a path, or no file can be made there.
    """

    def __init__(self, path: Any, identity: Callable[[], dict[str, list[str]]]) -> None:
        self.asked: bool = path is not folder.get()                 # else it is kept only where a run takes long
        self._place, self._identity = (require_place(path) if self.asked else Path(path)), identity
        self.newest: Prefix | None = None                     # what `keep` was told last
        self._written, self._next = 0, 0.0

    @cached_property
    def identity(self) -> dict[str, list[str]]:
        """What the sampling depends on."""
        return self._identity()

    @cached_property
    def path(self) -> Path:
        """The file."""
        if not self._place.is_dir():
            return self._place
        digests = json.dumps({name: value[0] for name, value in self.identity.items()}, sort_keys=True)
        return self._place / f"{hashlib.sha256(digests.encode()).hexdigest()[:24]}.checkpoint"

    @property
    def previous(self) -> Path:
        """The file before it."""
        return self.path.with_name(self.path.name + PREVIOUS)

    def load(self) -> Prefix | None:
        """The prefix that was kept, None where there is none; the one before it where the file is damaged.

        Raises
        ------
        CheckpointError
            If it is of another run, or both files are damaged.
        """
        self._next = time.monotonic() + EVERY                 # from here on: what came before was compiling
        if not self.asked and not any(self._place.iterdir()) or not self._can_be_told():
            return None
        remove_parts(self.path)
        remove_parts(self.previous)
        problems = []
        for path in (self.path, self.previous):
            if not path.exists():
                continue
            try:
                prefix = self._read(path)
            except _DamagedError as error:
                problems.append(f"{path.name}: {error}")
                continue
            self._written = prefix.chunks if path == self.path else 0
            return prefix
        if problems:
            raise CheckpointError(f"checkpoint {self.path} cannot be read ({'; '.join(problems)}): remove it to start "
                                  f"afresh")
        return None

    def keep(self, prefix: Prefix) -> None:
        """Remember a prefix, and write it now and then."""
        self.newest = prefix
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write the newest prefix, durably; what was the file becomes the previous one."""
        if self.newest is None or self.newest.chunks <= self._written or not self._can_be_told():
            return
        begin = time.monotonic()
        data = _packed(self.newest, self.identity)
        with self._writing():
            if self._written:                                 # it was read, or written here: the file is whole
                spare = self.previous.with_name(f".{self.previous.name}.{os.getpid()}.part")
                spare.unlink(missing_ok=True)
                os.link(self.path, spare)                     # the file itself is there at every moment
                os.replace(spare, self.previous)
            write_whole(self.path, data, durable=True)
        self._written = self.newest.chunks
        self._next = time.monotonic() + max(EVERY, SHARE * (time.monotonic() - begin))

    def close(self) -> None:
        """At the end of a run, however it ends: write what is new, unless nobody asked and it was quick."""
        if self.asked or self._written or time.monotonic() >= self._next - 0.5 * EVERY:
            self.write()
            with self._writing():
                flush_folder(self.path.parent)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Names the file where the system does not write."""
        try:
            yield
        except OSError as error:                              # what else went wrong stays in the chain of causes
            raise CheckpointWriteError(f"checkpoint {self.path} cannot be written: {error.strerror or error}"
                                       ) from error

    def _can_be_told(self) -> bool:
        """Whether the run can be told from others; where a checkpoint was asked for, it must be."""
        try:
            return bool(self.identity)
        except UnknownContentsError:
            if self.asked:
                raise
            return False

    def _read(self, path: Path) -> Prefix:
        identity, prefix = _unpacked(path.read_bytes())
        for name in sorted(identity.keys() | self.identity.keys(), key=lambda name: (name == "kernel", name)):
            before, now = (known.get(name, ["", "nothing"]) for known in (identity, self.identity))
            if before[0] != now[0]:
                what = f"was {before[1]}, and is {now[1]}" if before[1] != now[1] else "has other code or values"
                raise CheckpointError(f"checkpoint {path} is of another run: {name} {what}")
        return prefix


# ------------------------------------------------------------------------------------------------ the file
class _DamagedError(Exception):
    """What is wrong with a file."""


def _packed(prefix: Prefix, identity: dict[str, list[str]]) -> bytes:
    parts = [*prefix.groups, prefix.group]
    arrays = {"marks": np.array(prefix.marks[:prefix.chunks], np.uint64),
              "draws": np.array([part.draws for part in parts], np.int64),
              **{name: np.stack([getattr(part, name) for part in parts]) for name in ARRAYS[2:]}}
    header = {"identity": identity, "arrays": [[name, arrays[name].dtype.str, list(arrays[name].shape)]
                                               for name in ARRAYS]}
    body = json.dumps(header, sort_keys=True).encode() + b"\n" + b"".join(arrays[name].tobytes() for name in ARRAYS)
    return MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _unpacked(data: bytes) -> tuple[dict[str, list[str]], Prefix]:
    """The identity and the prefix in a file; nothing is believed, or allocated, before its digest is right."""
    start = len(MAGIC) + 65
    if not data.startswith(MAGIC) or len(data) < start:
        raise _DamagedError("not a checkpoint of this version, or cut short")
    if hashlib.sha256(data[start:]).hexdigest().encode() + b"\n" != data[len(MAGIC):start]:
        raise _DamagedError("its SHA-256 does not fit")
    end = data.index(b"\n", start)
    header = json.loads(data[start:end])
    at, arrays = end + 1, {}
    for name, kind, shape in header["arrays"]:
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(data, np.dtype(kind), count, at).reshape(shape).copy()
        at += arrays[name].nbytes
    parts = [Moments(int(n), *rest) for n, *rest in zip(*(arrays[name] for name in ARRAYS[1:]), strict=True)]
    groups, group = tuple(parts[:-1]), parts[-1]
    closed = Moments.empty(group.quantities)
    for part in groups:
        closed = closed.merge(part)                           # as they were merged when they were closed
    return header["identity"], Prefix(len(arrays["marks"]), [int(mark) for mark in arrays["marks"]], groups, closed,
                                      group)
