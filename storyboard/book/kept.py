"""Files that spare work from one binding to the next. Deleting them loses only time."""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from storyboard.files import written_atomically
from storyboard.gallery import make_folder

_CHECK_BYTES = 4


class KeptFolder:
    """A folder of results, each in a file named by all it depends on, with a checksum."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep files in `folder`, which need not exist yet; None keeps nothing."""
        self._folder = folder

    def get(
        self,
        kind: str,
        depends_on: bytes,
        make: Callable[[], bytes],
        sources: tuple[str, ...] = ("**/*.py", "fonts/*.ttf"),
    ) -> bytes:
        """Return what is kept, or else what `make` gives, which is then kept.

        Args:
            kind: ending of the file's name.
            depends_on: everything that the result depends on, besides this program.
            make: makes the result.
            sources: the files of this program that have a part in it, as patterns.

        Raises:
            OutputError: the folder cannot be written to.
        """
        if self._folder is None:
            return make()
        name = hashlib.sha256(program_stamp(sources) + depends_on).hexdigest()[:32]
        path = self._folder / f"{name}.{kind}"
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        check, content = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
        if len(check) == _CHECK_BYTES and check == _checksum(content):
            return content
        content = make()
        make_folder(self._folder)
        with written_atomically(path, lasting=False) as file:
            file.write(_checksum(content) + content)
        return content


@functools.cache
def program_stamp(sources: tuple[str, ...]) -> bytes:
    """Return what differs between versions of this program: its files' names, sizes and times."""
    package = Path(__file__).parent.parent
    files = sorted(path for pattern in sources for path in package.glob(pattern))
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(package)} {stamp_of(path)}\n".encode())
    return digest.digest()


def stamp_of(path: Path) -> str:
    """Return a file's size and time of change, which differ when its content does.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def stamps_of(paths: Iterable[str]) -> str:
    """Return the stamps of several files; none for those that are not there."""
    files = map(Path, paths)
    return " ".join(f"{file} {stamp_of(file)}" for file in files if file.is_file())


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK_BYTES, "big")
