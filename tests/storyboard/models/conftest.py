from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hub import Hub, serving

FILES = {
    "README.md": b"# a model",
    "image_generator/model_index.json": b"{}",
    "image_generator/unet/pytorch_model.bin": random.Random(1).randbytes(300_000),
    "mllm/llm/model.safetensors": random.Random(2).randbytes(200_000),
    "assets/teaser.png": b"not wanted",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A server with a small model; the environment names it."""
    with serving(Hub(dict(FILES))) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield hub
