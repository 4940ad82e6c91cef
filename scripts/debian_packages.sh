#!/usr/bin/env bash
# Install those of the named Debian packages that are missing.
#
# Usage: scripts/debian_packages.sh PACKAGE...
#
# Where apt or root is not there, says what is missing and goes on: most of Sonoriff does without.
set -euo pipefail

missing=()
for package in "$@"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    printf 'note: not root, so these are not installed: %s\n' "${missing[*]}" >&2
    printf '      as root: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
    exit 0
  fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
  printf 'note: no apt-get here; install the counterparts of: %s\n' "${missing[*]}" >&2
  exit 0
fi
printf '== installing Debian packages: %s\n' "${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
