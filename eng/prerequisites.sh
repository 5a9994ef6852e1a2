# What run.sh and test.sh need on the machine. Sourced by them; $root is the repository.
# shellcheck shell=bash

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

require_dotnet() {
  command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download/dotnet/10.0"
}

# Directory.Build.props decides; a project without dependencies tells.
uses_aspire() {
  (cd "$root" && dotnet msbuild MarketData.Domain/MarketData.Domain.csproj -getProperty:UseAspire)
}

# Installs redis-server when neither it nor valkey-server is there.
require_redis() {
  ! command -v redis-server > /dev/null && ! command -v valkey-server > /dev/null || return 0
  local command='apt-get install --yes --no-install-recommends redis-server'
  local why='redis-server is missing (valkey-server would do as well)'
  command -v apt-get > /dev/null || fail "$why; install one of them with the package manager of this system"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    # Asks for a password only where somebody can type it.
    if command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      fail "$why; run as root: $command"
    fi
  fi
  echo "Installing redis-server …"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # the words of the command
  "${as_root[@]}" $command > /dev/null 2>&1 || { "${as_root[@]}" apt-get update > /dev/null && "${as_root[@]}" $command; } ||
    fail "$why and could not be installed; run as root: apt-get update && $command"
}
