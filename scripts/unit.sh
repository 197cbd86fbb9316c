#!/usr/bin/env bash
# `scripts/unit.sh ARGUMENTS`: `swift test` with them; what failed is said once more at the end, where it is found.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test --skip-build "$@" 2>&1 | tee "$log"
code=${PIPESTATUS[0]}
[ "$code" = 0 ] && exit 0
printf '\nWhat failed:\n'
grep -E ' recorded an issue|^✘|: error:|Fatal error|signal code' "$log" | cut -c1-600 | head -60
exit "$code"
