#!/usr/bin/env bash
# Formatting of all our Swift files (generated code is left alone).
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files --cached --others --exclude-standard '*.swift' | grep -v '/Generated/' | xargs swift format lint --strict --configuration .swift-format
