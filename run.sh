#!/usr/bin/env bash
# Builds everything and starts the topology. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}/aspire-market-data

help() {
  cat << EOF
Usage: ./run.sh [--help | --reset] [argument of the AppHost …]

Installs what is missing (Debian package redis-server, unless a container engine does the work), builds, and starts
Kafka, Redis, the mock exchange, ingest and gateway. Ctrl-C stops everything.

  --reset   Deletes the data of earlier runs ($data) and ends.
  --help    Shows this text.

Arguments of the AppHost, for example:
  --MockKalshi:Replay FILE [--MockKalshi:Speed X]   plays a recorded session instead of the simulated market
  --DcpPublisher:RandomizePorts true                takes free ports instead of 9090, 9092 and 8084

UseAspire=true or false in the environment chooses between Aspire with containers and local processes; without it,
a running container engine decides. Every other variable reaches the services: Section__Key=value sets an option.
EOF
}

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

reset() {
  if [ "$use_aspire" = true ]; then
    fail "the data lies in the container volumes market-data-kafka and market-data-redis; delete their containers, then run: docker volume rm market-data-kafka market-data-redis"
  fi
  if [ -e "$data/lock" ] && command -v flock > /dev/null && ! flock --nonblock "$data/lock" true; then
    fail "an AppHost is running on $data; stop it first"
  fi
  rm -rf -- "$data"
  echo "Deleted $data"
}

install_redis() {
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

case ${1-} in
  --help | -h)
    help
    exit
    ;;
esac

command -v dotnet > /dev/null || fail "the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download/dotnet/10.0"

# Directory.Build.props decides; a project without dependencies tells.
use_aspire=$(cd "$root" && dotnet msbuild MarketData.Domain/MarketData.Domain.csproj -getProperty:UseAspire)

if [ "${1-}" = --reset ]; then
  [ $# -eq 1 ] || fail "--reset takes no further argument"
  reset
  exit
fi

if [ "$use_aspire" != true ] && ! command -v redis-server > /dev/null && ! command -v valkey-server > /dev/null; then
  install_redis
fi

(cd "$root" && dotnet build MarketData.AppHost/MarketData.AppHost.csproj --configuration Release --nologo --verbosity quiet -consoleLoggerParameters:NoSummary)

if [ "$use_aspire" = true ]; then
  # Aspire needs the launch profile's addresses of its dashboard.
  exec dotnet run --project "$root/MarketData.AppHost" --configuration Release --no-build -- "$@"
fi
# Not through dotnet run, which would stay as a process of its own between the terminal and the AppHost.
exec dotnet "$root/MarketData.AppHost/bin/Release/net10.0/MarketData.AppHost.dll" "$@"
