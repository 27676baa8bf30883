"""Reading back what someone wrote into the form fields of a book."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from storyboard.book.pdf import PLAN_ATTACHMENT, PLAN_HASH_KEY
from storyboard.errors import MissingError

_MOST_LEVELS = 20  # of fields above each other; a damaged file may have a ring of them


class FieldText(msgspec.Struct, frozen=True):
    """One field: its full name, what stands in it, and what it was written with."""

    name: str
    value: str
    default: str | None


class ReadBook(msgspec.Struct, frozen=True):
    """A PDF as it came back.

    Attributes:
        plan: the attached plan; None where there is none, or it is not the one its hash tells of.
        plan_hash: SHA-256 of the plan it was made from; empty where it says nothing of that.
    """

    title: str
    fields: tuple[FieldText, ...]
    plan: bytes | None
    plan_hash: str


def read_book(pdf: Path) -> ReadBook:
    """Return the fields of a PDF and the plan attached to it.

    Raises:
        MissingError: the file is not there, is no PDF, or is locked by a password.
    """
    import pikepdf

    try:
        with pikepdf.open(pdf) as document:
            plan_hash = str(document.docinfo.get(f"/{PLAN_HASH_KEY}", ""))
            return ReadBook(
                title=str(document.docinfo.get("/Title", "")),
                fields=tuple(_fields(document)),
                plan=_attached(document, plan_hash),
                plan_hash=plan_hash,
            )
    except FileNotFoundError as err:
        raise MissingError(f"there is no file {pdf}", hint="check its name and folder") from err
    except pikepdf.PasswordError as err:
        raise MissingError(
            f"{pdf} is locked by a password", hint="save it without a password in your viewer"
        ) from err
    except (pikepdf.PdfError, OSError) as err:
        raise MissingError(
            f"{pdf}: cannot be read as a PDF", hint="save it in your viewer once more"
        ) from err


def _attached(document: Any, plan_hash: str) -> bytes | None:
    if PLAN_ATTACHMENT not in document.attachments:
        return None
    plan: bytes = document.attachments[PLAN_ATTACHMENT].get_file().read_bytes()
    return plan if hashlib.sha256(plan).hexdigest() == plan_hash else None


def _fields(document: Any) -> Iterator[FieldText]:
    form = document.Root.get("/AcroForm", {})
    for field in form.get("/Fields", []):
        yield from _texts(field, "", {}, _MOST_LEVELS)


def _texts(field: Any, above: str, inherited: dict[str, Any], levels: int) -> Iterator[FieldText]:
    """Yield a field's text, or those of the fields below it; what is not said is said above."""
    own = {key: field[key] for key in ("/FT", "/V", "/DV") if key in field}
    known = inherited | own
    partial = str(field["/T"]) if "/T" in field else ""
    name = ".".join(filter(None, (above, partial)))
    below = [kid for kid in field.get("/Kids", []) if "/T" in kid]
    if below and levels:
        for kid in below:
            yield from _texts(kid, name, known, levels - 1)
    elif known.get("/FT") == "/Tx":
        yield FieldText(name, _text(known.get("/V")) or "", _text(known.get("/DV")))


def _text(value: Any) -> str | None:
    import pikepdf

    if value is None:
        return None
    if isinstance(value, pikepdf.Stream):  # long texts may be streams
        value = pikepdf.String(value.read_bytes())
    return str(value)
