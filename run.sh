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

# shellcheck source=eng/prerequisites.sh
. "$root/eng/prerequisites.sh"

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

case ${1-} in
  --help | -h)
    help
    exit
    ;;
esac

require_dotnet
use_aspire=$(uses_aspire)

if [ "${1-}" = --reset ]; then
  [ $# -eq 1 ] || fail "--reset takes no further argument"
  reset
  exit
fi

[ "$use_aspire" = true ] || require_redis

(cd "$root" && dotnet build MarketData.AppHost/MarketData.AppHost.csproj --configuration Release --nologo --verbosity quiet -consoleLoggerParameters:NoSummary)

if [ "$use_aspire" = true ]; then
  # Aspire needs the launch profile's addresses of its dashboard.
  exec dotnet run --project "$root/MarketData.AppHost" --configuration Release --no-build -- "$@"
fi
# Not through dotnet run, which would stay as a process of its own between the terminal and the AppHost.
exec dotnet "$root/MarketData.AppHost/bin/Release/net10.0/MarketData.AppHost.dll" "$@"
