#!/bin/sh
# Writes Sources/TemporalAPI/Generated anew from Sources/TemporalAPI/Protos.
#
#   scripts/proto.sh           regenerate
#   scripts/proto.sh --check   regenerate beside it and fail if anything differs
#
# Needs protoc (Debian: protobuf-compiler). The plugin is built from the checkout of swift-protobuf that the package
# uses anyway, so that plugin and library always have the same version.
# ALOFT_SCRATCH names the scratch path (default .build); PROTOC_GEN_SWIFT names a plugin that is already built.
set -eu
cd "$(dirname "$0")/.."

scratch="${ALOFT_SCRATCH:-.build}"
protos="Sources/TemporalAPI/Protos"
generated="Sources/TemporalAPI/Generated"

command -v protoc >/dev/null || {
    echo "proto.sh: protoc is missing: apt-get install protobuf-compiler" >&2
    exit 1
}

plugin="${PROTOC_GEN_SWIFT:-}"
if [ -z "$plugin" ]; then
    checkout="$scratch/checkouts/swift-protobuf"
    [ -d "$checkout" ] || swift package --scratch-path "$scratch" resolve
    tools="$(pwd)/.build/protoc-gen-swift"
    case "$scratch" in /*) tools="$scratch/protoc-gen-swift" ;; esac
    echo "building protoc-gen-swift (once; about a minute)"
    swift build --package-path "$checkout" --scratch-path "$tools" --product protoc-gen-swift
    plugin="$tools/debug/protoc-gen-swift"
fi

# Flat file names, so that the folder reads as one list: temporal/history.proto becomes temporal_history.pb.swift.
generate() {
    find "$protos" -name '*.proto' | sed "s|^$protos/||" | sort | xargs protoc \
        --proto_path="$protos" \
        --plugin=protoc-gen-swift="$plugin" \
        --swift_opt=Visibility=Public,FileNaming=PathToUnderscores \
        --swift_out="$1" \
        --include_imports --descriptor_set_out="$1/descriptors"
    # What server reflection answers with: the descriptors of all protos.
    {
        echo "// Written by scripts/proto.sh from Sources/TemporalAPI/Protos."
        echo "/// The descriptors of every proto here and of what they import: a FileDescriptorSet in base64."
        printf 'public enum ProtoDescriptors {\n    public static let base64 = "%s"\n}\n' "$(base64 -w 0 <"$1/descriptors")"
    } >"$1/descriptors.swift"
    rm "$1/descriptors"
}

fresh="$(mktemp -d)"
trap 'rm -rf "$fresh"' EXIT
generate "$fresh"

if [ "${1:-}" = "--check" ]; then
    diff -r "$generated" "$fresh" >/dev/null || {
        diff -rq "$generated" "$fresh" >&2 || true
        echo "proto.sh: $generated does not match $protos: run make proto" >&2
        exit 1
    }
    echo "generated code matches the protos"
else
    rm -rf "$generated"
    mkdir -p "$generated"
    cp "$fresh"/*.swift "$generated"/
    echo "wrote $(ls "$generated" | wc -l) files to $generated"
fi
