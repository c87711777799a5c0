#!/bin/sh
# Sends generated requests for every route of the description to a built lope, over a record made by its demonstration.
# Ends with 1 when any answer is a 5xx, with 3 when a tool lacks.
#   tests/api/fuzz.sh [LOPE] [EXAMPLES]      LOPE: the built program (target/debug/lope), EXAMPLES: requests a route (30)
# Needs schemathesis (tests/api/requirements.txt).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lope=${1:-${CARGO_TARGET_DIR:-$root/target}/debug/lope}
examples=${2:-30}
command -v schemathesis >/dev/null 2>&1 || { echo "schemathesis lacks: pip install -r tests/api/requirements.txt" >&2; exit 3; }
[ -x "$lope" ] || { echo "$lope lacks: cargo build" >&2; exit 3; }
data=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || :; wait "$server" 2>/dev/null || :; fi; rm -rf "$data"' EXIT INT TERM
"$lope" --data-dir "$data" demo --squad --no-serve --quiet >/dev/null
data_dir=$data/demo-squad
# The description says that tokens are taken, so one is sent; a made-up one would be refused everywhere.
token=$("$lope" --data-dir "$data_dir" token add fuzz --role owner --quiet)
"$lope" --data-dir "$data_dir" serve --listen 127.0.0.1:0 --rate-limit 0 >"$data/out" 2>"$data/err" &
server=$!
tries=0
until address=$(sed -n 's/^serving //p' "$data/out") && [ -n "$address" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$data/err" >&2; exit 3; }
    sleep 0.1
done
# Streams have no end, the machine is not what is tested, and a link or a sign-in changes who asks.
schemathesis run "$address/api/v1/openapi.json" \
    --header "Authorization: Bearer $token" \
    --checks not_a_server_error \
    --exclude-path-regex '/live/|/doctor|/login|/logout' \
    --max-examples "$examples" --seed 1 --workers 1 --no-color
