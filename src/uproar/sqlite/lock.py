"""A data directory is held by one process."""

import fcntl
import os
from pathlib import Path

from uproar.core.errors import Misconfigured


class DataLock:
    """A data directory held by this process, until `release` or its end, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another have it; releasing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def lock_directory(directory: Path) -> DataLock:
    """Take the directory, making it where there is none; `Misconfigured` when another process has it.

    The lock belongs to the open file, so nothing stale is left by a process that was killed.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Misconfigured(f"{directory} cannot hold data ({error}); choose another --data") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        sentence = f"another uproar serves from {directory} (process {holder}); stop it or choose another --data"
        raise Misconfigured(sentence) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return DataLock(descriptor)
