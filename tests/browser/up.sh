#!/usr/bin/env bash
# Put Debian's Chromium, its driver and a font where they are missing (root, Debian).
set -euo pipefail
packages=(chromium chromium-driver fonts-dejavu-core)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}"
fi
