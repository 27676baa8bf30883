"""PDF values as text. References stay open, in braces, until the file's numbers are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

_PLAIN = re.compile(r"[ !#-'*-\[\]-z|~]*")  # ASCII that needs no escape in a string, nor braces
_IN_NAME = re.compile(r"[^A-Za-z0-9_.+:*!?@$^&'\"|,;-]")
_OPEN = re.compile(r"\{([^}]*)\}")


class Name(msgspec.Struct, frozen=True):
    """A PDF name, without its slash."""

    text: str


class Reference(msgspec.Struct, frozen=True):
    """A reference to an object that has a key but no number yet."""

    key: str


class ParentKey(msgspec.Struct, frozen=True):
    """A number under which the structure tree finds what is tagged; counted from 0 on a page."""

    index: int


class PdfObject(msgspec.Struct, frozen=True):
    """An object of a file: its value as text with open references, and its stream if it has one.

    `data` is stored as it is; a filter that the value names has been applied already.
    """

    value: str
    data: bytes | None = None


def written(value: Any) -> str:
    """Return a value as PDF text.

    Args:
        value: mappings (whose None entries are left out), sequences, texts, bytes, numbers,
            booleans, `Name`, `Reference` and `ParentKey`.
    """
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        pairs = (f"/{name} {written(one)}" for name, one in value.items() if one is not None)
        return f"<< {' '.join(pairs)} >>"
    return _special(value)


def _special(value: Any) -> str:
    if isinstance(value, Name):
        escaped = _IN_NAME.sub(_hexadecimal, value.text)
        return f"/{escaped}"
    if isinstance(value, Reference):
        return f"{{{value.key}}}"
    if isinstance(value, ParentKey):
        return f"{{+{value.index}}}"
    if isinstance(value, bytes):
        return f"<{value.hex()}>"
    if isinstance(value, Sequence):
        return f"[ {' '.join(map(written, value))} ]"
    raise TypeError(f"{value!r} is no PDF value")


def stream(entries: Mapping[str, Any], data: bytes, *, deflated: bool = True) -> PdfObject:
    """Return a stream object; `deflated` says that its data is."""
    filters = {"Filter": Name("FlateDecode")} if deflated else {}
    return PdfObject(written({**entries, **filters, "Length": len(data)}), data)


def resolved(value: str, find: Callable[[str], str]) -> str:
    """Return a value's text with every open reference replaced by what `find` gives for it."""
    return _OPEN.sub(lambda found: find(found[1]), value)


def number(value: float, digits: int = 3) -> str:
    """Return a number rounded to `digits` decimals, as short as can be."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _string(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f"({text})"
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _hexadecimal(found: re.Match[str]) -> str:
    return "".join(f"#{byte:02X}" for byte in found[0].encode())
