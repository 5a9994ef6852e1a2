#!/usr/bin/env bash
# Installs other people's WebSocket clients that connect to the gateway: ws from npm, into clients/ beside this script. Does nothing when all
# is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=eng/clients.sh
. "$here/../../../eng/clients.sh"

require_npm "$here/clients" "$here/clients"
