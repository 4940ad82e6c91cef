#!/usr/bin/env bash
# The end of `make riff`: music. Writes out/riff.wav and out/riff.png.
#
# Usage: scripts/first_riff.sh VENV
set -euo pipefail
cd "$(dirname "$0")/.."
sonoriff=$1/bin/sonoriff
mkdir -p out

if [ -d src/sonoriff/models/bundled/sonoriff-small ]; then
  "$sonoriff" generate "smooth tropical dance jazz" --seed 1 -o out/riff.wav
else
  # Until the package ships a model: a sound to its picture and back.
  "$sonoriff" encode examples/pluck.flac -o out/riff.png
  "$sonoriff" decode out/riff.png -o out/riff.wav
fi
"$sonoriff" show out/riff.png
printf 'Listen: out/riff.wav    Look: out/riff.png\n'
