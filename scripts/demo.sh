#!/usr/bin/env bash
# The main jobs on real servers: three payments with a worker killed in the middle, the books, the audit; then 2,000 messages with a
# carrier that breaks, dead letters, their redrive, one message's story; then fifty tenants' databases brought to a new schema version
# with the server killed in the middle.
set -euo pipefail
cd "$(dirname "$0")/.."
.build/debug/aloft demo pay
scripts/setup.sh --python
echo
.build/debug/aloft demo notify
echo
exec .build/debug/aloft demo migrate
