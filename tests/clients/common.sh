# Read by test-*: installs the clients as the lock file says, starts and ends engines.
# shellcheck shell=bash
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/spillway-clients.XXXXXX")
STARTED=()

end() {
  local result=$? pid
  trap - EXIT
  for pid in "${STARTED[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${STARTED[@]}"; do wait "$pid" 2>/dev/null || true; done
  if ((result != 0)); then tail -n 20 "$SCRATCH"/*.log >&2 2>/dev/null || true; fi
  rm -rf "$SCRATCH"
  exit "$result"
}
trap end EXIT
trap 'exit 130' INT TERM

# install FOLDER NPM-COMMAND...: unless it is done already.
install() {
  local folder=$1 wanted
  shift
  wanted=$(cksum <"$folder/package-lock.json")
  if [[ $(cat "$folder/node_modules/.lock" 2>/dev/null) != "$wanted" ]]; then
    (cd "$folder" && npm "$@" --silent) || return 1
    echo "$wanted" >"$folder/node_modules/.lock"
  fi
}

# start NAME PATTERN COMMAND...: waits for a line of its output that has PATTERN; gives it in LINE.
start() {
  local name=$1 pattern=$2 tries
  shift 2
  : >"$SCRATCH/$name.log"
  "$@" >"$SCRATCH/$name.log" 2>&1 &
  STARTED+=($!)
  for ((tries = 0; tries < 1200; ++tries)); do
    # shellcheck disable=SC2034  # for who calls
    if LINE=$(grep -m1 "$pattern" "$SCRATCH/$name.log"); then return; fi
    kill -0 "${STARTED[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  echo "$name did not start" >&2
  exit 1
}

run_clients() { (cd "$HERE" && node --test --test-concurrency=1 --test-reporter=spec ./*.test.mjs); }
