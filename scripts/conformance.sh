#!/usr/bin/env bash
# Starts a private development server on free ports and runs the Python scripts of Tests/Conformance against it, one
# after the other. Each prints a line; of one that fails, its output follows. All run, even after a failure.
#   scripts/conformance.sh          everything
#   scripts/conformance.sh NAME     only the tests whose names contain NAME, without those that start servers of their own
set -euo pipefail
cd "$(dirname "$0")/.."
aloft=$(realpath "${ALOFT:-.build/debug/aloft}")
python=$PWD/.cache/venv/bin/python
folder=$(mktemp -d /tmp/aloft-conformance.XXXXXX)
log=$folder/server.log
# Postgres runs as its own user when we are root and must get through to its folder.
chmod 711 "$folder"
server=
sink=
failed=()
finish() {
    status=$?
    if [[ -n $server ]]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    if [[ -n $sink ]]; then kill "$sink" 2>/dev/null || true; fi
    if ((status)); then echo "--- server log (last 30 lines)"; tail -30 "$log" 2>/dev/null || true; fi
    if ((${#failed[@]})); then echo "conformance: FAILED: ${failed[*]}"; fi
    rm -rf "$folder"
    exit $status
}
trap finish EXIT
"$python" Tests/Conformance/smtp_sink.py --journal "$folder/mails" --ready-file "$folder/sink.json" >"$folder/sink.log" 2>&1 &
sink=$!
for _ in $(seq 300); do [[ -s $folder/sink.json ]] && break; sleep 0.1; done
smtp=$("$python" -c "import json; print(json.load(open('$folder/sink.json'))['port'])")
"$aloft" server start-dev --data "$folder/data" --grpc-port 0 --http-port 0 --sandbox-port 0 --nats-port 0 --smtp-url "smtp://127.0.0.1:$smtp" \
    --ready-file "$folder/ready.json" >"$log" 2>&1 &
server=$!
for _ in $(seq 600); do
    [[ -s $folder/ready.json ]] && break
    kill -0 "$server" 2>/dev/null || { echo "the server ended before it was ready" >&2; exit 1; }
    sleep 0.1
done
[[ -s $folder/ready.json ]] || { echo "the server was not ready in 60 s" >&2; exit 1; }
value() { "$python" -c "import json,sys; print(json.load(open('$folder/ready.json'))['$1'])"; }
grpc=$(value grpc)
http=$(value http)
cd Tests/Conformance
# Runs one script in at most five minutes and keeps its output back unless it fails.
area() {
    local name=$1 began=$SECONDS
    shift
    if ALOFT=$aloft timeout --kill-after=10 300 "$python" "$name.py" "$@" >"$folder/$name.log" 2>&1; then
        printf 'ok      %-22s %3d s  %s\n' "$name" $((SECONDS - began)) "$(tail -1 "$folder/$name.log" | cut -c1-120)"
    else
        failed+=("$name")
        printf 'FAILED  %-22s %3d s\n' "$name" $((SECONDS - began))
        tail -120 "$folder/$name.log"
    fi
}
echo "conformance: Python SDK against $grpc"
for name in core starting errors inside children external reset options delete visibility namespaces operators activity_operators updates schedules batch; do
    area "$name" "$grpc" "${1:-}"
done
area http_paths "$grpc" "$http"
area bad_input "$folder/ready.json"
area notify_bad_input "$folder/ready.json" "$folder/mails" "${1:-}"
area twilio_shape "$(value sandbox)"
area wechat_shape "$(value sandbox)"
if [[ -z ${1:-} ]]; then
    area replay
    area operator_crash "$aloft"
    area kills "$aloft"
    area children_kill "$aloft" 8
    area schedule_restart "$aloft" 18
fi
((${#failed[@]} == 0))
