# Read by the end-to-end tests and by tests/house/run-documents: one sandbox a test, a real
# controller on a port that the kernel chooses, and nothing left behind.
# shellcheck shell=bash
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SANDBOX=$(mktemp -d "${TMPDIR:-/tmp}/spillway-e2e.XXXXXX")
STATE=$SANDBOX/state
CONTROLLER=
RECORDER=
export NO_COLOR=1 LC_ALL=C.UTF-8
unset SPILLWAY_OUTPUT SPILLWAY_TOKEN

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Everything that was started from here has the sandbox in its command line, or works in it.
processes_of_sandbox() {
  local at cwd
  for at in /proc/[0-9]*; do
    [[ ${at#/proc/} == "$$" || ${at#/proc/} == "$BASHPID" ]] && continue
    cwd=$(readlink "$at/cwd" 2>/dev/null) || continue
    if [[ $cwd == "$SANDBOX"* ]] || tr '\0' ' ' 2>/dev/null <"$at/cmdline" | grep -qF "$SANDBOX"; then
      echo "${at#/proc/}"
    fi
  done
}

clean_up() {
  local result=$? pids
  trap - EXIT
  cd /
  if ((result != 0)) && [[ -s $SANDBOX/serve.log ]]; then
    echo "--- the controller's last words" >&2
    tail -n 40 "$SANDBOX/serve.log" >&2
  fi
  if [[ -s $SANDBOX/contract/violations ]]; then
    echo "--- answers that are not as openapi.yaml says" >&2
    sort "$SANDBOX/contract/violations" | uniq -c | head -n 20 >&2
    ((result != 0)) || result=1
  fi
  for _ in 1 2 3 4 5; do
    pids=$(processes_of_sandbox)
    [[ -n $pids ]] || break
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.1
  done
  [[ -n ${SPILLWAY_KEEP_SANDBOX:-} ]] || rm -rf "$SANDBOX"
  exit "$result"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# use_program PATH: from here on `spillway` is that one.
use_program() {
  mkdir -p "$SANDBOX/bin"
  ln -sf "$(realpath "$1")" "$SANDBOX/bin/spillway"
  export PATH=$SANDBOX/bin:$PATH
}

# Everything that this test asks goes past a recorder, which holds every answer against
# openapi.yaml. Without node there is none.
start_recorder() {
  local tries
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  mkdir -p "$SANDBOX/contract"
  (
    flock 9
    wanted=$(cksum <"$ROOT/tests/schema/package-lock.json")
    [[ $(cat "$ROOT/tests/schema/node_modules/.lock" 2>/dev/null) == "$wanted" ]] ||
      { (cd "$ROOT/tests/schema" && npm ci --silent --omit=optional) && echo "$wanted" >"$ROOT/tests/schema/node_modules/.lock"; }
  ) 9>"${TMPDIR:-/tmp}/spillway-schema.lock" || return 1
  node "$ROOT/tests/schema/recorder.mjs" "$STATE/address" "$SANDBOX/contract" 2>"$SANDBOX/recorder.log" &
  RECORDER=$!
  disown "$RECORDER" # a test's own `wait` is for its own children
  for ((tries = 0; tries < 600; ++tries)); do
    [[ ! -s $SANDBOX/contract/address ]] || return 0
    kill -0 "$RECORDER" 2>/dev/null || fail "the recorder ended at its start: $(cat "$SANDBOX/recorder.log")"
    sleep 0.05
  done
  fail "the recorder was not ready within 30 s"
}

# Runs until DIR/address says where it listens: on $LISTEN. start_controller CONFIG [OPTION...]
start_controller() {
  local config=$1 tries
  shift
  rm -f "$STATE/address"
  spillway serve --config "$config" --state "$STATE" --listen "${LISTEN:-127.0.0.1:0}" "$@" >>"$SANDBOX/serve.log" 2>&1 &
  CONTROLLER=$!
  for ((tries = 0; tries < 600; ++tries)); do
    if [[ -s $STATE/address ]]; then
      SPILLWAY_SERVER=$(<"$STATE/address")
      if [[ -n $RECORDER ]] || start_recorder; then SPILLWAY_SERVER=$(<"$SANDBOX/contract/address"); fi
      export SPILLWAY_SERVER
      return
    fi
    kill -0 "$CONTROLLER" 2>/dev/null || fail "the controller ended at its start"
    sleep 0.05
  done
  fail "the controller was not ready within 30 s"
}

# In order: exit code 0 is part of the promise.
stop_controller() {
  local code=0
  kill -TERM "$CONTROLLER"
  wait "$CONTROLLER" || code=$?
  CONTROLLER=
  ((code == 0)) || fail "after SIGTERM the controller ended with $code"
}

# As a power cut would.
kill_controller() {
  kill -KILL "$CONTROLLER" 2>/dev/null || true
  wait "$CONTROLLER" 2>/dev/null || true
  CONTROLLER=
}

# --- What tests say

# is ACTUAL EXPECTED WHAT
is() { [[ $1 == "$2" ]] || fail "$3: found \`$1\`, wanted \`$2\`"; }
# has TEXT PART WHAT
has() { [[ $1 == *"$2"* ]] || fail "$3: \`$2\` is missing in: $1"; }
# exits CODE COMMAND...
exits() {
  local wanted=$1 code=0
  shift
  "$@" >"$SANDBOX/out" 2>"$SANDBOX/err" || code=$?
  ((code == wanted)) || fail "\`$*\` ended with $code, wanted $wanted: $(cat "$SANDBOX/out" "$SANDBOX/err")"
}
# eventually SECONDS COMMAND...: tries until it succeeds
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || fail "not within its time: $*"
    sleep 0.1
  done
}

# api METHOD PATH [curl options]: the body; fails unless 2xx
api() {
  local method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 30 -X "$method" "$SPILLWAY_SERVER$path" "$@"
}
# status METHOD PATH [curl options]: only the code
status() {
  local method=$1 path=$2
  shift 2
  curl --silent --max-time 30 --output "$SANDBOX/body" --write-out '%{http_code}' -X "$method" "$SPILLWAY_SERVER$path" "$@"
}
# field JOB FILTER: of one job, by jq
field() { api GET "/api/v1/jobs/$1" | jq -r "$2"; }
state_is() { [[ $(field "$1" .state) == "$2" ]]; }
all_over() { [[ $(api GET "/api/v1/jobs?limit=1&state=queued&state=starting&state=running" | jq '.data | length') == 0 ]]; }
