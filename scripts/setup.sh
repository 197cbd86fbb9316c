#!/usr/bin/env bash
# Installs the Debian packages Aloft needs and does not find. Says what it does; does nothing when all is there.
#   scripts/setup.sh            libraries and servers
#   scripts/setup.sh --python   also the Python virtual environment with Temporal's SDK for the conformance scripts
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(pkg-config libpq-dev libnats-dev libssl-dev libcurl4-openssl-dev zlib1g-dev postgresql-15 nats-server python3 python3-venv curl protobuf-compiler)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
    echo "setup: installing Debian packages: ${missing[*]}"
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    # The distribution's own database cluster and broker are not used: every server here is private.
    if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || { echo "setup: a Swift 6.3 toolchain is needed; 'swift' is not in PATH" >&2; exit 1; }

if [[ "${1:-}" == --python ]]; then
    venv=.cache/venv
    want=$(sha256sum Tests/Conformance/requirements.txt | cut -c1-16)
    if [[ ! -f $venv/.made || $(<"$venv/.made") != "$want" ]]; then
        echo "setup: making a Python environment in $venv (temporalio from PyPI)"
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install -q --disable-pip-version-check -r Tests/Conformance/requirements.txt
        echo "$want" >"$venv/.made"
    fi
fi
