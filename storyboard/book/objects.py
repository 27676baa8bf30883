"""PDF values as text. References stay open, in braces, until the file's numbers are known."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

_PLAIN = re.compile(r"[ !#-'*-\[\]-z|~]*")  # ASCII that needs no escape in a string, nor braces
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
    """Return a value as PDF text, formatted by reportlab.

    Args:
        value: mappings (whose None entries are left out), sequences, texts, bytes, numbers,
            booleans, `Name`, `Reference` and `ParentKey`.
    """
    from reportlab.pdfbase import pdfdoc

    formatted: bytes = pdfdoc.format(_element(value, pdfdoc), pdfdoc.DummyDoc())
    return formatted.decode("ascii")


def _element(value: Any, pdf: Any) -> Any:
    """Return a value as reportlab's objects, which keep bytes as they are."""
    if isinstance(value, Mapping):
        pairs = ((key, _element(one, pdf)) for key, one in value.items() if one is not None)
        return pdf.PDFDictionary(OrderedDict(pairs))
    if isinstance(value, str):
        # in hexadecimal where it needs escapes, or has braces, which are for open references
        plain = _PLAIN.fullmatch(value)
        return pdf.PDFString(value) if plain else pdf.PDFText("\ufeff" + value, "utf-16-be")
    if isinstance(value, bytes):
        return pdf.PDFText(value)
    if isinstance(value, Name):
        name: str = pdf.PDFName(value.text.encode().decode("latin-1"))
        return "/" + name[1:].replace("/", "#2F")  # the one character it leaves as it is
    if isinstance(value, Sequence):
        return pdf.PDFArray([_element(one, pdf) for one in value])
    return _scalar(value)


def _scalar(value: Any) -> bytes:
    if isinstance(value, Reference):
        return b"{%s}" % value.key.encode("ascii")
    if isinstance(value, ParentKey):
        return b"{+%d}" % value.index
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int | float):
        return number(value).encode("ascii")
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
