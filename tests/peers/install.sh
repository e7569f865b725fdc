#!/bin/sh
# Installs the clients that tests/socketio.rs needs into target/peers. Nothing outside of target is touched.
set -e
here=$(cd "$(dirname "$0")" && pwd)
peers=${CARGO_TARGET_DIR:-$here/../../target}/peers
mkdir -p "$peers"
cp "$here/package.json" "$peers/"
npm install --prefix "$peers" --no-audit --no-fund
python3 -m venv "$peers/venv"
"$peers/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
