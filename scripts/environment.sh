#!/usr/bin/env bash
# Make the Python environment and install Sonoriff into it.
#
# Usage: scripts/environment.sh VENV [EXTRA,...]
#
# PYTHON   the interpreter (default: the first of python3, python3.13 ... python3.10 that fits)
# TORCH    "cpu" (default) or "cuda": which build of PyTorch to fetch
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1
extras=${2:+[$2]}
cpu_index=https://download.pytorch.org/whl/cpu

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

fits() {
  command -v "$1" >/dev/null 2>&1 &&
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
    if fits "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  die "no Python 3.10 to 3.13 found: install one, or name it: make PYTHON=/path/to/python3.11 ..."
}

make_venv() {
  local python
  python=$(find_python)
  say "environment $venv with $("$python" --version)"
  "$python" -m venv "$venv" >/dev/null 2>&1 && return
  rm -rf "$venv"
  # Debian's Python comes without the venv module.
  scripts/debian_packages.sh python3-venv
  "$python" -m venv "$venv" || die "$python cannot make an environment: install its venv module"
}

# The CPU build of PyTorch saves gigabytes of CUDA; on Linux it has a package index of its own.
torch_index() {
  [ "${TORCH:-cpu}" = cpu ] && [ "$(uname -s)" = Linux ] || return 0
  if "$venv/bin/python" - "$cpu_index/torch/" <<'PY' >/dev/null 2>&1
import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="HEAD"), timeout=5)
PY
  then
    printf -- '--extra-index-url %s\n' "$cpu_index"
  else
    say "note: $cpu_index is out of reach; torch comes from pip's own index" >&2
  fi
}

[ -x "$venv/bin/python" ] || make_venv
say "installing sonoriff$extras (a few minutes the first time)"
# shellcheck disable=SC2046  # the option and its value are two words
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  $(torch_index) --constraint constraints.txt --editable ".$extras"
