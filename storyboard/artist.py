"""Who draws a panel: the request, the Artist protocol, and the artist that uses DiffSensei."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from storyboard.errors import MissingError, PanelError
from storyboard.geometry import Box
from storyboard.story import Shot

if TYPE_CHECKING:
    from PIL.Image import Image

    from generator.errors import CheckpointError
    from generator.pipeline import DiffSensei
    from generator.request import DrawnPanel, PanelRequest

PROMPT_FORM = 3  # one more whenever `prompt_for` puts things differently: panels are drawn anew

Settings = Mapping[str, Any]
"""How a picture was made, as JSON values; stored inside the picture."""

OnDrawn = Callable[[str, "Image", Settings], None]
"""Called with the panel's id, its picture and how it was made, the moment it is drawn."""


class ArtCharacter(msgspec.Struct, frozen=True):
    """A character to be drawn. `box` is in fractions of the panel; `images` may be empty."""

    name: str
    look: str
    acting: str
    images: tuple[Path, ...]
    box: Box


class ArtRequest(msgspec.Struct, frozen=True):
    """Everything a panel's picture depends on, apart from the artist.

    All boxes are fractions of the panel, whose size on the page is given in millimetres. Room
    for lettering is left in `dialog_boxes`.
    """

    panel_id: str
    caption: str
    style: str
    shot: Shot
    width_mm: float
    height_mm: float
    characters: tuple[ArtCharacter, ...]
    dialog_boxes: tuple[Box, ...]
    seed: int


class Artist(Protocol):
    """Draws panels."""

    @property
    def fingerprint(self) -> str:
        """Tells this artist's pictures from any other's: model, weights and settings."""

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        """Return (height, width) in pixels of the picture for a panel of this size on the page."""

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        """Draw every panel, and call `done` the moment one is there.

        The picture may have other proportions than the panel: its middle covers the panel
        (`visible_part`).

        Raises:
            PanelError: one panel cannot be drawn. The caller asks again for those that are left.
        """


def visible_part(size_px: tuple[int, int], width_mm: float, height_mm: float) -> Box:
    """Return the part of a picture that is seen when its middle covers a panel, as fractions.

    Args:
        size_px: height and width of the picture.
        width_mm: width of the panel.
        height_mm: height of the panel.
    """
    height_px, width_px = size_px
    stretch = (width_mm / height_mm) / (width_px / height_px)
    across, down = min(stretch, 1.0), min(1 / stretch, 1.0)
    return Box((1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2)


def nearest_size(
    sizes: Sequence[tuple[int, int]], width_mm: float, height_mm: float
) -> tuple[int, int]:
    """Return the (height, width) whose proportions are nearest to the panel's."""
    wanted = math.log(width_mm / height_mm)
    return min(sizes, key=lambda size: abs(math.log(size[1] / size[0]) - wanted))


def megapixel_sizes() -> tuple[tuple[int, int], ...]:
    """Return sizes an SDXL model knows: about one megapixel, multiples of 64, 1:4 to 4:1."""
    edges = range(512, 2049, 64)
    return tuple((h, w) for h in edges for w in edges if 0.9 <= h * w / 1024**2 <= 1.05)


def prompt_for(request: ArtRequest) -> str:
    """Return the text the model draws from, in the plain words and order of its captions.

    What the caption says already is not said again: the text encoders read 77 tokens.
    """
    said = request.caption.casefold()
    shot = _SHOT_WORDS[request.shot]
    count = _COUNT_WORDS[min(len(request.characters), 4)]
    opening = [] if shot in said or said.startswith("close") else [shot]
    across = sorted(request.characters, key=lambda character: character.box.centre)
    people = [_person(character, across, said) for character in request.characters]
    parts = [*opening, count, request.caption, "; ".join(filter(None, people)), request.style]
    return ", ".join(part.strip().rstrip(".,;") for part in parts if part.strip())


def _person(character: ArtCharacter, across: Sequence[ArtCharacter], said: str) -> str:
    """Return what the caption leaves out: who stands where, and for want of a picture how."""
    words = [character.acting] if character.acting.casefold() not in said else []
    if not character.images and character.look.casefold() not in said:
        words.append(character.look)  # last: past what is read it matters least
    sides = _SIDE_WORDS[len(across)] if len(across) < len(_SIDE_WORDS) else ()
    if sides and (words or len(across) > 1):
        words.insert(0, sides[across.index(character)])
    return f"{character.name} {', '.join(words)}" if any(words) else ""


# The model's dialog boxes hold the words; what it draws of a balloon stays under the one lettered.
_WORDS_IN_BALLOON = Box(0.13, 0.13, 0.87, 0.87)
_SHOT_WORDS = {
    "wide": "wide shot",
    "full": "full shot",
    "medium": "medium shot",
    "close-up": "close-up",
    "detail": "close-up",
}
_COUNT_WORDS = ("no people", "one person", "two people", "three people", "four people")
_SIDE_WORDS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("on the left", "on the right"),
    ("on the left", "in the middle", "on the right"),
)


def mini_model() -> Path:
    """Return the folder of the small weights that ship with the tool."""
    package = importlib.util.find_spec("generator")
    if package is None or not package.submodule_search_locations:
        raise MissingError("the package `generator` is not installed", hint="install the tool anew")
    return Path(package.submodule_search_locations[0]) / "mini"


class DiffSenseiArtist:
    """Draws with the DiffSensei weights of a folder, which load when the first panel is drawn."""

    def __init__(self, model: Path, *, steps: int | None = None) -> None:
        """Look at the model's settings and weights, without loading them.

        Args:
            model: a folder in the published layout.
            steps: denoising steps; by default as many as the model is meant for.

        Raises:
            MissingError: the folder is not there or holds no such model.
        """
        from generator.errors import CheckpointError
        from generator.fingerprint import fingerprint
        from generator.settings import read_settings

        if not (model / "image_generator").is_dir():
            raise MissingError(
                f"there is no DiffSensei model in {model}",
                hint="name a folder holding `image_generator`, with --model or in storyboard.yaml",
            )
        try:
            settings = read_settings(model)
            self._weights = fingerprint(model)
        except CheckpointError as err:
            raise _missing(err) from err
        self._folder = model
        self._settings = (
            settings
            if steps is None
            else msgspec.structs.replace(settings, num_inference_steps=steps)
        )
        self._model: DiffSensei | None = None

    @property
    def fingerprint(self) -> str:
        """Weights, steps and the way requests are put to the model."""
        steps = self._settings.num_inference_steps
        return f"diffsensei {self._weights[:32]}, {steps} steps, prompts {PROMPT_FORM}"

    def size_px(self, width_mm: float, height_mm: float) -> tuple[int, int]:
        """Return (height, width): of the sizes the model draws, the nearest in proportions."""
        return nearest_size(self._settings.sizes or megapixel_sizes(), width_mm, height_mm)

    def draw(self, requests: Sequence[ArtRequest], done: OnDrawn) -> None:
        """Draw every panel, and call `done` the moment one is there.

        Raises:
            PanelError: one panel cannot be drawn.
            MissingError: the weights cannot be loaded.
        """
        from generator.errors import DrawingError, RequestError

        model = self._loaded()
        left = {request.panel_id: self._panel_request(request) for request in requests}

        def on_panel(drawn: DrawnPanel) -> None:
            panel = left.pop(drawn.request.id)
            done(panel.id, drawn.image, self._provenance(panel))

        # a batch is lost whole when the process is killed, and a CPU gains nothing from it
        on_cpu = model.device.type == "cpu"
        batch_size = 1 if on_cpu else min(map(_batch_size, left.values()), default=1)
        try:
            model.draw(list(left.values()), batch_size=batch_size, on_panel=on_panel)
        except RequestError as err:
            problem = str(err).removeprefix(f"panel {err.panel_id}: ")
            raise PanelError(err.panel_id, problem) from err
        except DrawingError:  # by one of a batch: one at a time, the first left over is to blame
            try:
                model.draw(list(left.values()), batch_size=1, on_panel=on_panel)
            except DrawingError as err:
                raise PanelError(next(iter(left)), str(err)) from err

    def _loaded(self) -> DiffSensei:
        from generator.errors import CheckpointError
        from generator.pipeline import DiffSensei

        if self._model is None:
            try:
                model = DiffSensei.load(self._folder)
            except CheckpointError as err:
                raise _missing(err) from err
            model.components = replace(model.components, settings=self._settings)
            self._model = model
        return self._model

    def _panel_request(self, request: ArtRequest) -> PanelRequest:
        from generator.request import CharacterRequest, PanelRequest

        size = self.size_px(request.width_mm, request.height_mm)
        seen = visible_part(size, request.width_mm, request.height_mm)
        return PanelRequest(
            id=request.panel_id,
            caption=prompt_for(request),
            height_px=size[0],
            width_px=size[1],
            seed=request.seed,
            characters=tuple(
                CharacterRequest(
                    images=tuple(_opened(image) for image in character.images),
                    box=_corners(character.box.within(seen)),
                )
                for character in request.characters
            ),
            dialog_boxes=tuple(
                _corners(_WORDS_IN_BALLOON.within(box).within(seen)) for box in request.dialog_boxes
            ),
        )

    def _provenance(self, panel: PanelRequest) -> Settings:
        return {
            "weights": self._weights,
            "prompt": panel.caption,
            "character_boxes": [character.box for character in panel.characters],
            "dialog_boxes": panel.dialog_boxes,
            **msgspec.to_builtins(self._settings),
        }


def _missing(err: CheckpointError) -> MissingError:
    return MissingError(str(err), hint="the model's folder is damaged or not complete")


def _batch_size(panel: PanelRequest) -> int:
    """Return how many small pictures fit where one of a megapixel does, at most 8."""
    return max(1, min(8, 1024**2 // (panel.height_px * panel.width_px)))


def _corners(box: Box) -> tuple[float, float, float, float]:
    """Return a box of the picture, cut at the picture's edges."""
    left, top, right, bottom = (
        min(max(edge, 0.0), 1.0) for edge in (box.left, box.top, box.right, box.bottom)
    )
    return left, top, right, bottom


def _opened(path: Path) -> Image:
    """Return a character's picture on white, turned upright as the camera noted."""
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")
