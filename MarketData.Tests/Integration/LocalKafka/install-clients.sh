#!/usr/bin/env bash
# Installs other people's Kafka clients that the LocalKafka suites run: kcat and python3-kafka from Debian, kafkajs from npm.
# Usage: install-clients.sh [FOLDER]. FOLDER gets the node_modules; the default is clients/ beside this script, where the tests look
# unless MARKETDATA_KAFKAJS names another. Does nothing when all is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=eng/clients.sh
. "$here/../../../eng/clients.sh"

require_debian kcat python3-kafka python3-lz4 python3-snappy python3-zstandard
require_npm "$here/clients" "${1:-$here/clients}"
