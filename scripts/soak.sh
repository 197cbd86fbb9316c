#!/usr/bin/env bash
# The fault scenarios of Tests/Conformance, each with servers of its own, bounded in time.
#   scripts/soak.sh                 a short soak (20 s): server killed, NATS stopped and wiped
#   scripts/soak.sh SECONDS         the same, longer
#   scripts/soak.sh both [SECONDS]  also all primitives mixed, with workers and database connections killed too
#   scripts/soak.sh all [SECONDS]   also all primitives mixed, two nodes on one database, lost Postgres backends and postmasters
# SOAK_SEED, MIXED_SEED and FAULT_SEED repeat a run; every scenario prints its seed.
set -euo pipefail
cd "$(dirname "$0")/.."
aloft=$(realpath "${ALOFT:-.build/debug/aloft}")
python=$PWD/.cache/venv/bin/python
scenarios=(soak)
if [[ "${1:-}" == both ]]; then
    scenarios=(soak mixed)
    shift
fi
if [[ "${1:-}" == all ]]; then
    scenarios=(soak mixed two_nodes children_kill children_nodes postgres_faults)
    shift
fi
seconds=${1:-20}
for scenario in "${scenarios[@]}"; do
    # The ends are waited for with bounds of their own; this one is for a scenario that hangs.
    (cd Tests/Conformance && timeout --kill-after=30 $((seconds + 420)) "$python" "$scenario.py" "$aloft" "$seconds")
done
