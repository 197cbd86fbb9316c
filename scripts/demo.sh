#!/usr/bin/env bash
# The main job on real servers: three payments, a worker killed in the middle, the books, the audit.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .build/debug/aloft demo pay
