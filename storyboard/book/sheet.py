"""One page of the PDF as objects that need nothing of the rest of the book but a few keys.

So a page can be kept from one binding to the next, wherever in the book it comes to stand.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from storyboard.book.editfonts import EditFont, font_for_edits, font_key
from storyboard.book.livetext import LAYER, text_content
from storyboard.book.objects import Name, ParentKey, PdfObject, Reference, stream, written
from storyboard.book.operators import appearance, page_content, rectangle_pt
from storyboard.book.page import PageDrawing
from storyboard.book.pictures import PackedPicture, PrintFolder
from storyboard.geometry import Box, mm_to_pt
from storyboard.lettering.letterer import Balloon

# what every page refers to
PAGES, DOCUMENT, DIALOGUE_LAYER = Reference("pages"), Reference("document"), Reference("layer")
_MULTILINE = 1 << 12
_DO_NOT_SPELL_CHECK = 1 << 22
_PRINT = 4
_CENTRED = 1


class PicturePlace(msgspec.Struct, frozen=True):
    """A picture and the frame (millimetres) that it covers."""

    file: str
    frame: Box


class Sheet(msgspec.Struct, frozen=True):
    """A page's objects, in which those of its pictures come first and are not held.

    Attributes:
        number: the page's, from 1.
        pictures: what the first objects of the group are made of.
        objects: all others.
        page: place in the group of the page itself.
        section: place of the page's element in the structure tree.
        fields: places of the form fields that have no field above them.
        parents: places of what the parent keys stand for, in their order.
        fonts: those that its fields are edited with, or its words are set in.
        is_flat: whether its words lie on the layer for dialogue, instead of in fields.
    """

    number: int
    pictures: tuple[PicturePlace, ...]
    objects: tuple[PdfObject, ...]
    page: int
    section: int
    fields: tuple[int, ...]
    parents: tuple[int, ...]
    fonts: tuple[EditFont, ...]
    is_flat: bool = False


def make_sheet(
    page: PageDrawing, language: str, prints: PrintFolder, *, flat: bool = False
) -> Sheet:
    """Return the page's objects.

    Args:
        page: the page.
        language: of its dialogue.
        prints: where pictures that are ready for print are kept.
        flat: make a final copy, with text instead of form fields.

    Raises:
        MissingError: a picture is not there.
    """
    return _SheetMaker(page, language, flat=flat).made(prints)


def picture_object(picture: PackedPicture) -> PdfObject:
    """Return a packed picture as an object of the file."""
    if picture.packing == "fax":
        filter_name = "CCITTFaxDecode"
        # group 4; in fax a 0 stands for white
        how: dict[str, Any] = {"K": -1, "Columns": picture.width_px, "Rows": picture.height_px}
    else:
        filter_name = "FlateDecode"
        how = {"Predictor": 15, "Colors": 1, "BitsPerComponent": 8, "Columns": picture.width_px}
    entries = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": picture.width_px,
        "Height": picture.height_px,
        "ColorSpace": Name("DeviceGray"),
        "BitsPerComponent": picture.bits,
        "Filter": Name(filter_name),
        "DecodeParms": how,
    }
    return stream(entries, picture.data, deflated=False)


def accessible_name(balloon: Balloon) -> str:
    """Return what a screen reader calls the field."""
    if balloon.kind == "sound":
        return "Sound"
    if balloon.kind == "narration":
        return "Narration"
    return f"Dialogue: {balloon.speaker}" if balloon.speaker else "Dialogue"


def panel_of(balloon: Balloon) -> str:
    """Return the id of the panel that a balloon stands in."""
    return balloon.id.rpartition(".")[0]


class _SheetMaker:
    def __init__(self, page: PageDrawing, language: str, *, flat: bool) -> None:
        # a balloon left blank for lettering by hand has nothing to edit or to read
        self._page = msgspec.structs.replace(
            page, balloons=tuple(one for one in page.balloons if one.value)
        )
        self._whole = page
        self._flat = flat
        self._language = language
        self._drawn = [panel for panel in page.panels if panel.picture is not None]
        self._objects: list[PdfObject | None] = []
        self._parents: list[Reference] = []
        self._fonts: dict[str, EditFont] = {}
        self._sheet = self._reserved()
        self._section = self._reserved()

    def made(self, prints: PrintFolder) -> Sheet:
        size, bleed = self._page.size, self._page.size.bleed_mm
        whole = Box(-bleed, -bleed, size.width_mm + bleed, size.height_mm + bleed)
        marked = self._reserved()  # what is marked in the page's content, by its number
        self._parents.append(marked)
        figures = self._figures()
        widgets: list[Reference] = []
        fields: list[Reference] = []
        if self._flat:
            elements = self._words(len(figures))
        else:
            widgets, fields, elements = self._dialogue()
        words = [one for each in elements.values() for one in each] if self._flat else []
        self._put(marked, [*figures.values(), *words])
        in_order = [*figures, *(panel for panel in elements if panel not in figures)]
        kids = [
            element
            for panel in in_order
            for element in (
                *([figures[panel]] if panel in figures else []),
                *elements.get(panel, []),
            )
        ]
        self._put(
            self._section,
            _element("Sect", DOCUMENT, T=f"Page {self._page.number}", K=kids),
        )
        self._put(
            self._sheet,
            {
                "Type": Name("Page"),
                "Parent": PAGES,
                "MediaBox": rectangle_pt(whole, self._page),
                "BleedBox": rectangle_pt(whole, self._page),
                "TrimBox": rectangle_pt(Box(0, 0, size.width_mm, size.height_mm), self._page),
                "Contents": self._content(prints),
                "Resources": self._resources(),
                "StructParents": ParentKey(0),
                "Tabs": Name("W"),  # the tab key follows the order of Annots: reading order
                "Annots": widgets or None,
            },
        )
        return Sheet(
            number=self._page.number,
            pictures=tuple(
                PicturePlace(str(panel.picture), panel.frame.bounds)
                for panel in self._drawn
                if panel.picture is not None
            ),
            objects=tuple(one for one in self._objects if one is not None),
            page=_place(self._sheet),
            section=_place(self._section),
            fields=tuple(map(_place, fields)),
            parents=tuple(map(_place, self._parents)),
            fonts=tuple(self._fonts.values()),
            is_flat=self._flat,
        )

    def _content(self, prints: PrintFolder) -> Reference:
        pictures = {}
        for panel, name in zip(self._drawn, self._picture_names(), strict=True):
            if panel.picture is not None:
                packed = prints.packed(panel.picture, panel.frame.bounds)
                pictures[panel.id] = name, packed.width_px, packed.height_px
        content = page_content(self._whole, pictures)
        if self._flat:
            text, self._fonts = text_content(self._page, len(self._page.panels))
            content = f"{content}\n{text}"
        return self._add(_deflated({}, content))

    def _resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = {"XObject": self._picture_names()}
        if self._flat:
            fonts = {key: Reference(font_key(font)) for key, font in self._fonts.items()}
            resources |= {"Font": fonts, "Properties": {LAYER: DIALOGUE_LAYER}}
        return resources

    def _picture_names(self) -> dict[str, Reference]:
        return {f"Panel{place + 1}": Reference(f".{place}") for place in range(len(self._drawn))}

    def _figures(self) -> dict[str, Reference]:
        """Return the element of every panel by its id, in reading order, which is by its number."""
        figures = {}
        for panel in sorted(self._page.panels, key=lambda panel: panel.place):
            box = rectangle_pt(panel.frame.bounds, self._page)
            figures[panel.id] = self._add(
                _element(
                    "Figure",
                    self._section,
                    Pg=self._sheet,
                    K=panel.place,
                    Alt=panel.shows or f"Panel {panel.place + 1}",
                    A={"O": Name("Layout"), "Placement": Name("Block"), "BBox": box},
                )
            )
        return figures

    def _words(self, first_mark: int) -> dict[str, list[Reference]]:
        """Return by panel the elements for its words, which are marked in the page's content."""
        elements: dict[str, list[Reference]] = {}
        for mark, balloon in enumerate(self._page.balloons, start=first_mark):
            said = {"ActualText": balloon.text, "Lang": self._language}
            tag = _element("P", self._section, Pg=self._sheet, K=mark, **said)
            elements.setdefault(panel_of(balloon), []).append(self._add(tag))
        return elements

    def _dialogue(
        self,
    ) -> tuple[list[Reference], list[Reference], dict[str, list[Reference]]]:
        """Return the widgets, the fields above them, and by panel the elements for them."""
        widgets: list[Reference] = []
        elements: dict[str, list[Reference]] = {}
        fields: dict[str, tuple[Reference, list[Reference]]] = {}
        for balloon in self._page.balloons:
            if not balloon.glyphs.commands:
                continue  # left blank, for lettering by hand
            panel = panel_of(balloon)
            if panel not in fields:
                fields[panel] = self._reserved(), []
            field, kids = fields[panel]
            widget, element = self._reserved(), self._reserved()
            self._put(widget, self._widget(balloon, field))
            self._parents.append(element)
            target = {"Type": Name("OBJR"), "Obj": widget, "Pg": self._sheet}
            tag = _element("Form", self._section, Pg=self._sheet, K=target, Lang=self._language)
            self._put(element, tag)
            widgets.append(widget)
            kids.append(widget)
            elements.setdefault(panel, []).append(element)
        for panel, (field, kids) in fields.items():
            self._put(field, {"T": panel, "FT": Name("Tx"), "Kids": kids})
        return widgets, [field for field, _ in fields.values()], elements

    def _widget(self, balloon: Balloon, parent: Reference) -> dict[str, Any]:
        """Return a balloon's form field, which is its own annotation too.

        Its full name is the balloon's id: that of the field above it, a dot, and its own.
        """
        field = balloon.field_mm
        drawn = {
            "Type": Name("XObject"),
            "Subtype": Name("Form"),
            "BBox": (0, 0, mm_to_pt(field.width), mm_to_pt(field.height)),
            "Resources": {},
        }
        font = font_for_edits(balloon, self._language)
        self._fonts[font.key] = font
        return {
            "Type": Name("Annot"),
            "Subtype": Name("Widget"),
            "FT": Name("Tx"),
            "Parent": parent,
            "T": balloon.id.rpartition(".")[2],
            "TU": accessible_name(balloon),
            "V": balloon.value,
            "DV": balloon.value,
            "DA": f"/{font.key} {balloon.size_pt:g} Tf 0 g",
            "Q": _CENTRED,
            "F": _PRINT,
            "Ff": _MULTILINE | _DO_NOT_SPELL_CHECK,
            "Lang": self._language,
            "Rect": rectangle_pt(field, self._page),
            "P": self._sheet,
            "StructParent": ParentKey(len(self._parents)),
            "AP": {"N": self._add(_deflated(drawn, appearance(balloon)))},
        }

    def _reserved(self) -> Reference:
        self._objects.append(None)
        return Reference(f".{len(self._drawn) + len(self._objects) - 1}")

    def _add(self, value: Any) -> Reference:
        reference = self._reserved()
        self._put(reference, value)
        return reference

    def _put(self, reference: Reference, value: Any) -> None:
        one = value if isinstance(value, PdfObject) else PdfObject(written(value))
        self._objects[_place(reference) - len(self._drawn)] = one


def _place(reference: Reference) -> int:
    return int(reference.key[1:])


def _element(tag: str, parent: Reference, **entries: Any) -> Mapping[str, Any]:
    return {"Type": Name("StructElem"), "S": Name(tag), "P": parent, **entries}


def _deflated(entries: Mapping[str, Any], content: str) -> PdfObject:
    return stream(entries, zlib.compress(content.encode("ascii"), 9))
