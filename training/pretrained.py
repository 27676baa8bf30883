"""Encoders and detectors that others trained: CLIP, DINO, Magi and the like, off this machine only.

A source is a folder, or a name whose files are in the local cache of the model hub. Nothing is
ever fetched, and code that lies beside weights runs only where the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoModelForObjectDetection, AutoTokenizer
from transformers.utils.hub import cached_file

from generator.devices import pick_device
from training.metrics import Box, Features

BATCH = 16

DIALOG_LABELS = ("text", "dialog", "dialogue", "balloon", "bubble", "speech")
FIGURE_LABELS = ("character", "person", "body", "figure")
"""A detector's label is taken for one of these when it has the word in it."""

Picture = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""


class SourceError(ValueError):
    """An encoder or detector is not there or cannot do what is asked of it."""


def local_folder(source: str) -> Path:
    """Return the folder of a model, given as folder or by a name that is in the local cache.

    Raises:
        SourceError: it is not on this machine.
    """
    try:
        # a folder from here on: loading by name looks for adapters on the hub, whatever it is told
        config = cached_file(source, "config.json", local_files_only=True)
    except OSError:
        config = None
    if config is None:
        raise SourceError(
            f"{source}: neither a folder with a config.json nor in the local model cache; "
            "nothing is downloaded here, so fetch it first and give its folder"
        )
    return Path(str(config)).parent


def _preprocessing(folder: Path) -> Any:
    processor: Any = AutoImageProcessor
    return processor.from_pretrained(folder, backend="pil")


def _rgb(pictures: Sequence[Picture]) -> list[Image.Image]:
    return [Image.fromarray(picture).convert("RGB") for picture in pictures]


def _batches(pictures: Sequence[Picture]) -> Iterator[list[Image.Image]]:
    for start in range(0, len(pictures), BATCH):
        yield _rgb(pictures[start : start + BATCH])


class PretrainedEncoder:
    """Features of pictures: CLIP's projection, else the class token of the last layer.

    What has no class token gives its pooled output. Masked autoencoders see the whole picture.
    """

    def __init__(self, source: str) -> None:
        """Load the encoder with its own preprocessing.

        Raises:
            SourceError: it is not on this machine.
        """
        folder = local_folder(source)
        self._device = pick_device()
        self._look = _preprocessing(folder)
        self._model: Any = AutoModel.from_pretrained(folder).eval().to(self._device)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture]) -> Features:
        """Return (pictures, width)."""
        features = []
        for batch in _batches(pictures):
            pixels = self._look(batch, return_tensors="pt").pixel_values.to(self._device)
            features.append(self._read(pixels).double().cpu().numpy())
        return np.concatenate(features)

    def _read(self, pixels: Tensor) -> Tensor:
        model = self._model
        if hasattr(model, "get_image_features"):
            projected: Tensor = model.get_image_features(pixel_values=pixels).pooler_output
            return projected
        if model.config.model_type == "vit_mae":
            model.config.mask_ratio = 0.0  # the library masks three quarters even here
            count = model.embeddings.patch_embeddings.num_patches
            order = torch.arange(count, device=pixels.device).expand(len(pixels), -1)
            output = model(pixels, noise=order)  # patches are sorted by it: their order stays
        else:
            output = model(pixels)
        states: Tensor = output.last_hidden_state
        if states.ndim == 3:
            return states[:, 0]
        pooled: Tensor = output.pooler_output
        return pooled.flatten(1)


class PretrainedClip(PretrainedEncoder):
    """A CLIP model: features of pictures, and of captions in the same space."""

    def __init__(self, source: str) -> None:
        """Load both towers.

        Raises:
            SourceError: it is not on this machine, or has no text tower.
        """
        super().__init__(source)
        if not hasattr(self._model, "get_text_features"):
            raise SourceError(f"{source}: a {self._model.config.model_type} reads no captions")
        self._tokenizer: Any = AutoTokenizer.from_pretrained(local_folder(source))

    @torch.inference_mode()
    def captions(self, captions: Sequence[str]) -> Features:
        """Return (captions, width); what is longer than the model reads is cut, as is usual."""
        features = []
        for start in range(0, len(captions), BATCH):
            tokens = self._tokenizer(
                list(captions[start : start + BATCH]),
                padding=True,
                truncation=True,
                max_length=self._model.config.text_config.max_position_embeddings,
                return_tensors="pt",
            ).to(self._device)
            told = self._model.get_text_features(**tokens).pooler_output
            features.append(told.double().cpu().numpy())
        return np.concatenate(features)


class PretrainedDetector:
    """An object detector; boxes are given for labels with any of some words in them."""

    def __init__(self, source: str, *, threshold: float = 0.5) -> None:
        """Load a detector of transformers' own kinds.

        Raises:
            SourceError: it is not on this machine, or is no detector of a known kind.
        """
        folder = local_folder(source)
        self._source, self._threshold, self._device = source, threshold, pick_device()
        try:
            self._model: Any = AutoModelForObjectDetection.from_pretrained(folder)
        except ValueError as err:  # transformers' word for a model of another kind
            raise SourceError(f"{source}: not an object detector that transformers knows") from err
        self._model.eval().to(self._device)
        self._look = _preprocessing(folder)

    def of(self, words: Sequence[str]) -> Callable[[Sequence[Picture]], list[list[Box]]]:
        """Return the function that finds things with such labels.

        Raises:
            SourceError: the model has no such label; names those it has.
        """
        names: dict[int, str] = self._model.config.id2label
        wanted = {
            number for number, name in names.items() if any(word in name.lower() for word in words)
        }
        if not wanted:
            raise SourceError(
                f"{self._source}: no label with {' or '.join(words)} in it; "
                f"it has {', '.join(names.values())}"
            )
        return lambda pictures: self._find(pictures, wanted)

    @torch.inference_mode()
    def _find(self, pictures: Sequence[Picture], wanted: set[int]) -> list[list[Box]]:
        found = []
        for picture in pictures:
            inputs = self._look(_rgb([picture]), return_tensors="pt").to(self._device)
            [result] = self._look.post_process_object_detection(
                self._model(**inputs), threshold=self._threshold, target_sizes=[(1, 1)]
            )
            pairs = zip(result["labels"].tolist(), result["boxes"].tolist(), strict=True)
            found.append([_in_panel(box) for label, box in pairs if label in wanted])
        return found


class MagiDetector:
    """Magi (arXiv:2401.10224), which comes with code of its own, trusted by whoever asks for it.

    Written to the interface its authors document; it was not run with their weights here.
    """

    def __init__(self, source: str) -> None:
        """Load the model and run the code that lies beside it.

        Raises:
            SourceError: it is not on this machine, or its code is not Magi's.
        """
        folder = local_folder(source)
        self._model: Any = AutoModel.from_pretrained(folder, trust_remote_code=True)
        if not hasattr(self._model, "predict_detections_and_associations"):
            raise SourceError(f"{source}: has no predict_detections_and_associations, as Magi has")
        self._model.eval().to(pick_device())

    def dialogs(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Return the boxes of texts as fractions of each panel."""
        return self._find(pictures, "texts")

    def figures(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """Return the boxes of characters as fractions of each panel."""
        return self._find(pictures, "characters")

    @torch.inference_mode()
    def _find(self, pictures: Sequence[Picture], kind: str) -> list[list[Box]]:
        found = []
        for picture in pictures:
            height, width = picture.shape
            [result] = self._model.predict_detections_and_associations(
                [np.asarray(page) for page in _rgb([picture])]
            )
            found.append(
                [
                    _in_panel((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
                    for box in result[kind]
                ]
            )
        return found


def _in_panel(box: Sequence[float]) -> Box:
    left, top, right, bottom = (min(max(float(edge), 0.0), 1.0) for edge in box)
    return left, top, right, bottom
