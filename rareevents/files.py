"""Files that are whole or not there: what a crash, a full disk or a second process must not break."""
from __future__ import annotations

import contextlib
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def write_whole(path: Path, data: bytes, durable: bool = False) -> None:
    """Write a file whole or not at all; on failure what was there stays, and no other file is left.

    durable: it must also survive a loss of power: file and folder are flushed to the disk.

    Source: the order of write, fsync, rename and fsync of the folder is that of Pillai et al. (2014), OSDI, section 2.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        except BaseException:                                # a full disk, an interrupt
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    if durable:
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_parts(path: Path) -> None:
    """Remove what writers of this file that were killed have left beside it."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file; raises OSError at once, naming the holder, where another process does.

    The system lets go of it when the process ends, however it ends, so that no lock is ever stale. Where there is no
    `fcntl` (Windows) nothing is held.
    """
    file = _locked(path)
    try:
        yield
    finally:
        if file is not None:
            path.unlink(missing_ok=True)
            file.close()


def _locked(path: Path) -> IO[str] | None:
    try:
        import fcntl
    except ImportError:
        return None
    while True:
        file = open(path, "a+", encoding="utf-8")            # noqa: SIM115  (open as long as it is held)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read(200).strip() or "another process"
            file.close()
            raise OSError(f"{path.parent} is in use by {holder}") from None
        if path.exists() and os.path.samestat(os.stat(path), os.fstat(file.fileno())):
            break
        file.close()                                          # its holder removed it in between
    file.truncate(0)
    file.write(f"process {os.getpid()} on {platform.node()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    file.flush()
    return file
