# How tests get other people's clients. Sourced by the install-clients.sh beside such tests.
# shellcheck shell=bash

# Installs Debian packages that are missing: require_debian PACKAGE...
require_debian() {
  local missing=() package
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  export DEBIAN_FRONTEND=noninteractive
  local install=("${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}")
  "${install[@]}" > /dev/null 2>&1 || { "${as_root[@]}" apt-get update > /dev/null && "${install[@]}" > /dev/null; } || {
    echo "$(basename "$0"): could not install ${missing[*]}; run as root: apt-get update && apt-get install ${missing[*]}" >&2
    exit 1
  }
}

# Installs what a package-lock.json names: require_npm SOURCE FOLDER. SOURCE has the lock file, FOLDER gets the node_modules; they may be
# the same. Does nothing when all is there.
require_npm() {
  local source=$1 folder=$2
  command -v npm > /dev/null || require_debian nodejs npm
  # npm writes this file last, so that it tells whether an installation is whole and which one it is.
  local installed=$folder/node_modules/.package-lock.json
  if [ ! -e "$installed" ] || [ "$source/package-lock.json" -nt "$installed" ]; then
    mkdir -p "$folder"
    [ "$folder" -ef "$source" ] || cp "$source/package.json" "$source/package-lock.json" "$folder/"
    (cd "$folder" && npm ci --no-audit --no-fund --silent && touch "$installed") || {
      echo "$(basename "$0"): npm could not install what $source/package-lock.json names" >&2
      exit 1
    }
  fi
}
