#!/usr/bin/env bash
# Trains the shipped mini model further on an accelerator, in slices of under nine minutes.
#
#   bash training/on_gpu.sh [--tiny] OUT [MORE]
#
# A slice builds what is missing of the data, trains until its time is nearly up, and leaves in OUT
# the model folder in pieces (cat mini.tar.part-* | tar x), the log and a contact sheet. The next
# slice goes on where it stopped, as long as the folder RUNS is kept. A checkpoint that is put into
# RUNS/stage1 is gone on from; without one, training starts from generator/mini.
#
# MORE says how many minutes later slices will add (0: none). The learning rate falls to zero over
# the last 40 % of all steps, so the last slice's model is the one to keep.
#
# --tiny shows in a few minutes on a CPU that everything works; its model is good for nothing, and
# its RUNS is OUT/runs.
#
# From the environment: PYTHON (python3), RUNS (runs/gpu), LIMIT_S (520, a whole slice), BATCH (512),
# LEARNING_RATE (1e-3), PAGES (8000), WORKERS (one a processor), SAMPLES (16), STEPS (all steps, by
# default as many as the time allows at the pace of the log).
set -euo pipefail

tiny=
if [ "${1:-}" = --tiny ]; then tiny=yes; shift; fi
[ $# -ge 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
more=${2:-0}
cd "$(dirname "$0")/.."

if [ -n "$tiny" ]; then
  : "${RUNS:=$out/runs}" "${BATCH:=2}" "${PAGES:=20}" "${WORKERS:=1}" "${SAMPLES:=2}" "${STEPS:=2}" \
    "${LIMIT_S:=36000}"
fi
python=${PYTHON:-python3}
runs=${RUNS:-runs/gpu}
limit_s=${LIMIT_S:-520}
batch=${BATCH:-512}
mini=generator/mini/image_generator
export_s=80  # kept for starting, the export, the contact sheet and the pieces

say() { printf '%4d s: %s\n' "$SECONDS" "$*" >&2; }

# once NAME COMMAND...: run it, unless an earlier slice has finished it
once() {
  local stamp=$runs/.done-$1
  shift
  [ -e "$stamp" ] || { say "$*"; "$@"; touch "$stamp"; }
}

# Minutes of training that are left in this slice, at least none.
minutes_left() {
  "$python" -c "print(max(0.0, ($limit_s - $export_s - $SECONDS) / 60))"
}

# train STEPS MINUTES: go on, at this length of the whole, for these minutes
train() {
  say "training for $2 minutes, $1 steps in all"
  "$python" -m training.stage1_characters --init generator/mini --cache "$runs/cache" \
    --encoders "$mini" --autoencoder "$runs/autoencoder" --output "$runs/stage1" \
    --batch "$batch" --learning-rate "${LEARNING_RATE:-1e-3}" --steps "$1" --minutes "$2"
}

# all_steps MINUTES: the last logged step and those that fit into the minutes at the logged pace
all_steps() {
  "$python" - "$runs/stage1/log.jsonl" "$1" <<'PYTHON'
import json, sys
last = json.loads(open(sys.argv[1], encoding="utf-8").readlines()[-1])
print(last["step"] + int(60 * float(sys.argv[2]) / last["s_per_step"]))
PYTHON
}

"$python" -c 'import diffusers, msgspec, resvg_py, torch; torch.optim.Muon' || {
  echo 'Error: a package is missing (above); docs/gpu.md says how to bring it along' >&2; exit 4; }
mkdir -p "$runs/autoencoder" "$runs/stage1"
once pages "$python" -m training.data.peeps.build --pages "${PAGES:-8000}" \
  --workers "${WORKERS:-$(nproc)}" --output "$runs/peeps"
once cache "$python" -m training.data.cache --pages "$runs/peeps" --output "$runs/cache"
once autoencoder cp -r "$mini/vae" "$runs/autoencoder/"
once latents "$python" -m training.data.latents --cache "$runs/cache" \
  --autoencoder "$runs/autoencoder"
# that measured the latents' scale anew; the weights to start from were trained with the shipped one
cp "$mini/vae/config.json" "$runs/autoencoder/vae/config.json"

if [ -z "${STEPS:-}" ] && [ ! -s "$runs/stage1/log.jsonl" ]; then
  train 1000000 0.7  # no pace is known yet
fi
left=$(minutes_left)
if [ "$left" = 0.0 ]; then
  say 'no time is left to train in this slice; run the same command again'
  [ -e "$runs/stage1/checkpoint.pt" ] || exit 0
else
  train "${STEPS:-$(all_steps "$("$python" -c "print($left + $more)")")}" "$left"
fi

say 'writing the results'
"$python" -m training.export --encoders "$mini" --autoencoder "$runs/autoencoder" \
  --checkpoint "$runs/stage1/checkpoint.pt" --output "$runs/mini"
"$python" -m training.samples --cache "$runs/cache" --model "$runs/mini" \
  --count "${SAMPLES:-16}" --output "$out/samples.png" | tee "$out/samples.txt"
cp "$runs/stage1/log.jsonl" "$out/"
rm -f "$out"/mini.tar.part-*
tar c -C "$runs" mini | split -b 15M - "$out/mini.tar.part-"
say 'done'
