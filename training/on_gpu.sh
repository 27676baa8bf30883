#!/usr/bin/env bash
# Trains the shipped mini model further on an accelerator, within nine minutes from a bare checkout.
#
#   bash training/on_gpu.sh OUT [MINUTES]
#
# Builds the data (unless it is there), starts from generator/mini or goes on from runs/stage1, and
# leaves in OUT the new model folder's weights in pieces (cat mini.tar.part-* | tar x), the log and a
# contact sheet. The data take most of two minutes on 16 cores.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1
minutes=${2:-5}
mini=generator/mini/image_generator

[ -f runs/peeps/annotations.json ] || python -m training.data.peeps.build --workers "$(nproc)"
[ -f runs/cache/panels.json ] || python -m training.data.cache
mkdir -p runs/autoencoder
[ -d runs/autoencoder/vae ] || cp -r "$mini/vae" runs/autoencoder/vae
[ -f runs/cache/latents-128x288.npy ] || python -m training.data.latents
python -m training.stage1_characters --init generator/mini --encoders "$mini" --batch 256 \
  --steps 40000 --learning-rate 4e-4 --minutes "$minutes"
python -m training.export --encoders "$mini" --output runs/mini
python -m training.samples --model runs/mini --output "$out/samples.png"
cp runs/stage1/log.jsonl "$out/"
tar c -C runs mini | split -b 15M - "$out/mini.tar.part-"
