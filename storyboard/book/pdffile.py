"""A PDF file written object by object, so that memory does not grow with the book."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from storyboard.book.objects import PdfObject, Reference, resolved, written

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


class PdfFile:
    """Numbers objects, writes each when it is given, and ends with the table of their places.

    Shared objects have a key and may be referred to before they are written. Those of one page
    are written together and refer to each other by ".0", ".1" and so on.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Start a PDF in an empty file."""
        self._file = file
        self._position = 0
        self._offsets: list[int] = [0]  # by object number; there is no object 0
        self._shared: dict[str, int] = {}
        self._digest = hashlib.sha256()
        self._put(_HEADER)

    def number_of(self, key: str) -> int:
        """Return the number of a shared object, giving it one at its first mention."""
        if key not in self._shared:
            self._shared[key] = self._new_number()
        return self._shared[key]

    def has_written(self, key: str) -> bool:
        """Return whether a shared object is in the file already."""
        return key in self._shared and self._offsets[self._shared[key]] > 0

    def write(self, key: str, value: PdfObject | Mapping[str, Any]) -> Reference:
        """Write a shared object and return a reference to it."""
        one = value if isinstance(value, PdfObject) else PdfObject(written(value))
        self._write(self.number_of(key), one, self._reference)
        return Reference(key)

    def write_group(self, objects: list[PdfObject], first_parent_key: int) -> list[int]:
        """Write objects that refer to each other by their place in the group.

        Args:
            objects: in order.
            first_parent_key: what the group's first parent key counts from.

        Returns:
            Their numbers.
        """
        numbers = [self._new_number() for _ in objects]

        def find(key: str) -> str:
            if key.startswith("."):
                return f"{numbers[int(key[1:])]} 0 R"
            if key.startswith("+"):
                return str(first_parent_key + int(key[1:]))
            return self._reference(key)

        for number, one in zip(numbers, objects, strict=True):
            self._write(number, one, find)
        return numbers

    def finish(self, root: Reference, info: Reference) -> None:
        """Write the table of places and the trailer. The same objects give the same bytes."""
        missing = [key for key, number in self._shared.items() if not self._offsets[number]]
        if missing:
            raise ValueError(f"never written: {', '.join(missing)}")
        start, count = self._position, len(self._offsets)
        identity = self._digest.digest()[:16]
        rows = "".join(f"{offset:010} 00000 n \n" for offset in self._offsets[1:])
        self._put(f"xref\n0 {count}\n0000000000 65535 f \n{rows}".encode("ascii"))
        trailer = {"Size": count, "Root": root, "Info": info, "ID": [identity, identity]}
        text = resolved(written(trailer), self._reference)
        self._put(f"trailer\n{text}\nstartxref\n{start}\n%%EOF\n".encode("ascii"))

    def _reference(self, key: str) -> str:
        return f"{self.number_of(key)} 0 R"

    def _new_number(self) -> int:
        self._offsets.append(0)
        return len(self._offsets) - 1

    def _write(self, number: int, one: PdfObject, find: Any) -> None:
        self._offsets[number] = self._position
        self._put(f"{number} 0 obj\n{resolved(one.value, find)}".encode("ascii"))
        if one.data is not None:
            self._put(b"\nstream\n")
            self._put(one.data)
            self._put(b"\nendstream")
        self._put(b"\nendobj\n")

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._position += len(data)
