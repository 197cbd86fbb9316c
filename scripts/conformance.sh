#!/usr/bin/env bash
# Starts a private development server on free ports and runs the Python scripts of Tests/Conformance against it.
set -euo pipefail
cd "$(dirname "$0")/.."
aloft=$(realpath "${ALOFT:-.build/debug/aloft}")
folder=$(mktemp -d /tmp/aloft-conformance.XXXXXX)
log=$folder/server.log
# Postgres runs as its own user when we are root and must get through to its folder.
chmod 711 "$folder"
server=
finish() {
    status=$?
    if [[ -n $server ]]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    if ((status)); then echo "--- server log (last 60 lines)"; tail -60 "$log" 2>/dev/null || true; fi
    rm -rf "$folder"
    exit $status
}
trap finish EXIT
"$aloft" server start-dev --data "$folder/data" --grpc-port 0 --http-port 0 --sandbox-port 0 --ready-file "$folder/ready.json" >"$log" 2>&1 &
server=$!
for _ in $(seq 600); do
    [[ -s $folder/ready.json ]] && break
    kill -0 "$server" 2>/dev/null || { echo "the server ended before it was ready" >&2; exit 1; }
    sleep 0.1
done
[[ -s $folder/ready.json ]] || { echo "the server was not ready in 60 s" >&2; exit 1; }
value() { .cache/venv/bin/python -c "import json,sys; print(json.load(open('$folder/ready.json'))['$1'])"; }
grpc=$(value grpc)
http=$(value http)
(cd Tests/Conformance && ../../.cache/venv/bin/python replay.py)
echo "conformance: Python SDK against $grpc"
# One file per area; each prints what it did and how many passed.
for area in core starting inside children external reset delete visibility namespaces operators activity_operators updates schedules batch; do
    (cd Tests/Conformance && ALOFT=$aloft timeout 300 ../../.cache/venv/bin/python "$area.py" "$grpc" "${1:-}")
done
(cd Tests/Conformance && ../../.cache/venv/bin/python http_paths.py "$grpc" "$http")
[[ -n ${1:-} ]] || (cd Tests/Conformance && timeout 300 ../../.cache/venv/bin/python operator_crash.py "$aloft")
(cd Tests/Conformance && ../../.cache/venv/bin/python bad_input.py "$folder/ready.json")
[[ -n ${1:-} ]] || (cd Tests/Conformance && ../../.cache/venv/bin/python children_kill.py "$aloft" 8)
[[ -n ${1:-} ]] || (cd Tests/Conformance && ../../.cache/venv/bin/python schedule_restart.py "$aloft" 18)
