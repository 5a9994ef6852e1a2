#!/usr/bin/env bash
# Checks the formatting, builds everything and runs every test. See --help.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=eng/prerequisites.sh
. "$root/eng/prerequisites.sh"

help() {
  cat << EOF
Usage: ./test.sh [--soak] [argument of the test runner …]

Installs what the tests need, checks the formatting, builds everything, runs every test, and ends with the counts of the
TRX files, which stay in TestResults/.

  --soak   Runs fault, fuzz and soak tests with their full number of rounds (default: a few).
  --help   Shows this text.

Arguments of the test runner, for example: --filter-namespace 'MarketData.Tests.Unit.*'
EOF
}

# Adds up what the runner wrote: tests that ran and passed, that failed, and that were skipped.
counts() {
  cat "$results"/*.trx 2> /dev/null | grep -o '<Counters [^>]*>' | awk '
    function value(name) { return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : 0 }
    { total += value("total"); executed += value("executed"); passed += value("passed") }
    END { printf "%d passed, %d failed, %d skipped\n", passed, executed - passed, total - executed }'
}

# Names what failed, with the message and the place: the runner's own report stands above the output of every process.
failures() {
  cat "$results"/*.trx 2> /dev/null | awk -v RS='<' '
    function text(value) { gsub(/&lt;/, "<", value); gsub(/&gt;/, ">", value); gsub(/&quot;/, "\"", value); gsub(/&#x[AD];/, " ", value); gsub(/&amp;/, "\\&", value); return value }
    /^UnitTestResult / { failed = / outcome="Failed"/ && match($0, / testName="[^"]*"/) }
    /^UnitTestResult / && failed { print "FAILED " text(substr($0, RSTART + 11, RLENGTH - 12)) }
    failed && (/^Message>/ || /^StackTrace>/) { sub(/^[A-Za-z]*>/, ""); print text($0) }'
}

case ${1-} in
  --help | -h)
    help
    exit
    ;;
  --soak)
    export MARKETDATA_SOAK=1
    shift
    ;;
esac

require_dotnet
# The tests start Redis themselves whichever way the topology is hosted.
require_redis
"$root/MarketData.Tests/Integration/LocalKafka/install-clients.sh"
"$root/MarketData.Tests/Integration/MockKalshi/install-clients.sh"
"$root/MarketData.Tests/Integration/Gateway/install-clients.sh"

cd "$root"
results=$root/TestResults
rm -rf -- "$results"
dotnet restore --verbosity quiet
dotnet format --verify-no-changes --no-restore --verbosity quiet || fail "the formatting differs from .editorconfig; run: dotnet format"
dotnet build --configuration Release --no-restore --nologo --verbosity quiet -consoleLoggerParameters:NoSummary
status=0
dotnet test --configuration Release --no-build --results-directory "$results" --report-xunit-trx "$@" || status=$?
if [ "$status" -ne 0 ]; then
  echo "test.sh: the test run ended with exit code $status"
  failures
fi >&2
counts
exit "$status"
