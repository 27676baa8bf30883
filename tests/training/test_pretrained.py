"""Encoders and detectors of the kinds that are used at full size, tiny and untrained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BitImageProcessorPil,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    ViTImageProcessorPil,
    ViTMAEConfig,
    ViTMAEModel,
    YolosConfig,
    YolosForObjectDetection,
)
from transformers.models.yolos.image_processing_pil_yolos import YolosImageProcessorPil

from training.data.tokens import train_tokenizer
from training.pretrained import (
    DIALOG_LABELS,
    FIGURE_LABELS,
    MagiDetector,
    PretrainedClip,
    PretrainedDetector,
    PretrainedEncoder,
    SourceError,
    local_folder,
)

TINY = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip
SQUARE = {"height": 28, "width": 28}


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, size, np.uint8) for size in ((40, 60), (70, 30), (28, 28))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("pretrained")
    dino = Dinov2Model(
        Dinov2Config(
            hidden_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
        )
    )
    dino.save_pretrained(root / "dino")
    BitImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE).save_pretrained(
        root / "dino"
    )
    magi = ViTMAEModel(ViTMAEConfig(**TINY, image_size=28, patch_size=7))
    magi.save_pretrained(root / "mae")
    ViTImageProcessorPil(size=SQUARE).save_pretrained(root / "mae")
    tokenizer = train_tokenizer(["a man", "a room"], root / "clip")
    clip = CLIPModel(
        CLIPConfig(
            text_config={
                **TINY, "vocab_size": len(tokenizer), "max_position_embeddings": 12,
                "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
            },
            vision_config={**TINY, "image_size": 28, "patch_size": 14},
            projection_dim=16,
        )
    )  # fmt: skip
    clip.save_pretrained(root / "clip")
    CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=SQUARE).save_pretrained(
        root / "clip"
    )
    names = {0: "character", 1: "text", 2: "panel"}
    detector = YolosForObjectDetection(
        YolosConfig(
            **TINY, image_size=[32, 32], patch_size=16, num_detection_tokens=6, id2label=names,
            label2id={name: number for number, name in names.items()},
        )
    )  # fmt: skip
    detector.save_pretrained(root / "detector")
    YolosImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(root / "detector")
    return root


@pytest.mark.parametrize(("name", "width"), [("dino", 32), ("mae", 32), ("clip", 16)])
def test_a_picture_has_the_same_features_whatever_is_beside_it(
    folder: Path, pictures: list[np.ndarray], name: str, width: int
) -> None:
    encode = PretrainedEncoder(str(folder / name))
    together = encode(pictures)
    assert together.shape == (3, width)
    assert np.allclose(encode(pictures[1:2]), together[1:2], atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-2)


def test_clip_reads_captions_of_any_length(folder: Path, pictures: list[np.ndarray]) -> None:
    clip = PretrainedClip(str(folder / "clip"))
    told = clip.captions(["a man", "a man " * 50])
    assert told.shape == (2, 16)
    assert clip(pictures).shape == (3, 16)


def test_what_reads_no_captions_is_no_clip(folder: Path) -> None:
    with pytest.raises(SourceError, match="a dinov2 reads no captions"):
        PretrainedClip(str(folder / "dino"))


def test_a_detector_gives_the_boxes_of_the_labels_that_are_asked_for(
    folder: Path, pictures: list[np.ndarray]
) -> None:
    detector = PretrainedDetector(str(folder / "detector"), threshold=0.0)
    dialogs, figures, panels = (
        detector.of(words)(pictures) for words in (DIALOG_LABELS, FIGURE_LABELS, ("panel",))
    )
    for boxes in zip(dialogs, figures, panels, strict=True):
        assert sum(map(len, boxes)) == 6
        assert all(0 <= edge <= 1 for found in boxes for box in found for edge in box)
    sure = PretrainedDetector(str(folder / "detector"), threshold=1.0)
    assert sure.of(DIALOG_LABELS)(pictures) == [[], [], []]
    with pytest.raises(SourceError, match="it has character, text, panel"):
        detector.of(("hand",))


def test_an_encoder_is_no_detector(folder: Path) -> None:
    with pytest.raises(SourceError, match="not an object detector"):
        PretrainedDetector(str(folder / "dino"))


def test_nothing_is_downloaded(tmp_path: Path) -> None:
    # sockets are closed in tests: an attempt would fail otherwise
    for source in ("facebook/dinov2-small", str(tmp_path), "no such/name/at all"):
        with pytest.raises(SourceError, match="nothing is downloaded"):
            local_folder(source)


def test_magi_is_asked_in_its_own_way_and_answers_in_fractions(
    tmp_path: Path, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "m"))
    code = '''
import numpy as np
from transformers import PretrainedConfig, PreTrainedModel

class StandInConfig(PretrainedConfig):
    model_type = "stand-in"

class StandIn(PreTrainedModel):
    config_class = StandInConfig

    def __init__(self, config):
        super().__init__(config)
        self.post_init()

    def predict_detections_and_associations(self, images):
        """Find one text in the left half and one character in the whole picture."""
        assert all(isinstance(image, np.ndarray) and image.shape[2] == 3 for image in images)
        return [
            {"texts": [[0, 0, image.shape[1] / 2, image.shape[0]]],
             "characters": [[0, 0, image.shape[1] + 3, image.shape[0]]], "panels": []}
            for image in images
        ]
'''
    source = tmp_path / "standin"
    source.mkdir()
    (source / "modeling_standin.py").write_text(code)
    auto = {"AutoConfig": "modeling_standin.StandInConfig", "AutoModel": "modeling_standin.StandIn"}
    (source / "config.json").write_text(json.dumps({"model_type": "stand-in", "auto_map": auto}))
    from safetensors.torch import save_file

    save_file({}, source / "model.safetensors", metadata={"format": "pt"})
    magi = MagiDetector(str(source))
    assert magi.dialogs(pictures) == [[(0.0, 0.0, 0.5, 1.0)]] * 3
    assert magi.figures(pictures) == [[(0.0, 0.0, 1.0, 1.0)]] * 3
