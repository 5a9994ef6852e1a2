#!/usr/bin/env bash
# Installs other people's Kafka clients that the LocalKafka suites run: kcat and python3-kafka from Debian, kafkajs from npm.
# Usage: install-clients.sh [FOLDER]. FOLDER gets the node_modules; the default is clients/ beside this script, where the tests look
# unless MARKETDATA_KAFKAJS names another. Does nothing when all is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/clients}
packages=(kcat python3-kafka python3-lz4 python3-snappy python3-zstandard)
command -v npm > /dev/null || packages+=(nodejs npm)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  export DEBIAN_FRONTEND=noninteractive
  install=("${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}")
  "${install[@]}" > /dev/null 2>&1 || { "${as_root[@]}" apt-get update > /dev/null && "${install[@]}" > /dev/null; } || {
    echo "$(basename "$0"): could not install ${missing[*]}; run as root: apt-get update && apt-get install ${missing[*]}" >&2
    exit 1
  }
fi

# npm writes this file last, so that it tells whether an installation is whole and which one it is.
installed=$folder/node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ "$here/clients/package-lock.json" -nt "$installed" ]; then
  mkdir -p "$folder"
  [ "$folder" -ef "$here/clients" ] || cp "$here/clients/package.json" "$here/clients/package-lock.json" "$folder/"
  (cd "$folder" && npm ci --no-audit --no-fund --silent && touch "$installed")
fi
