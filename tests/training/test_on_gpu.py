from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ["bash", str(ROOT / "training/on_gpu.sh")]


def test_without_a_folder_it_says_how_to_be_called() -> None:
    run = subprocess.run(SCRIPT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "bash training/on_gpu.sh [--tiny] OUT [MORE]" in run.stderr
    assert "LIMIT_S" in run.stderr
    assert "pipefail" not in run.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_tiny_slice_trains_and_a_second_one_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    for steps in (1, 2):
        subprocess.run(
            [*SCRIPT, "--tiny", str(tmp_path)],
            env={**environment, "STEPS": str(steps)},
            check=True,
        )
        last = (tmp_path / "log.jsonl").read_text().splitlines()[-1]
        assert json.loads(last)["step"] == steps
        assert (tmp_path / "samples.png").stat().st_size > 0
    pieces = sorted(tmp_path.glob("mini.tar.part-*"))
    assert all(piece.stat().st_size < 16 * 2**20 for piece in pieces)
    whole = tmp_path / "mini.tar"
    whole.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with tarfile.open(whole) as archive:
        names = archive.getnames()
    assert "mini/image_generator/unet/diffusion_pytorch_model.safetensors" in names
