# Read by the live tests: Prometheus and Alertmanager beside the controller of tests/e2e/controller.sh, in the same
# sandbox, on ports that the kernel chooses. Both are gone when the sandbox is.
# shellcheck shell=bash
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/controller.sh"
DEPLOY=$ROOT/deploy

# Starts COMMAND... and gives in LISTENS where it does. serve_in_sandbox NAME COMMAND...
serve_in_sandbox() {
  local name=$1 tries
  shift
  : >"$SANDBOX/$name.log"
  (cd "$SANDBOX" && exec "$@") >"$SANDBOX/$name.log" 2>&1 &
  disown $!
  for ((tries = 0; tries < 600; ++tries)); do
    LISTENS=$(sed -nE 's/.*msg="Listening on" address=([0-9.:]+).*/\1/p' "$SANDBOX/$name.log" | head -n 1)
    if [[ -n $LISTENS ]]; then return; fi
    sleep 0.05
  done
  fail "$name did not start: $(tail -n 5 "$SANDBOX/$name.log")"
}

# The shipped configuration with all times divided by FACTOR (a second at least), and other addresses.
#   shorten FACTOR <rules.yml
shorten() {
  awk -v factor="$1" '
    BEGIN { unit["s"] = 1; unit["m"] = 60; unit["h"] = 3600; unit["d"] = 86400 }
    function scaled(text,   seconds) {
      seconds = int(substr(text, 1, length(text) - 1) * unit[substr(text, length(text))] / factor + 0.5)
      return (seconds < 1 ? 1 : seconds) "s"
    }
    # Windows, and how long an alert must hold. Words like 5m within names of rules stay.
    {
      out = ""
      while (match($0, /\[[0-9]+[smhd]\]|for: [0-9]+[smhd]/)) {
        found = substr($0, RSTART, RLENGTH)
        match_length = RLENGTH
        out = out substr($0, 1, RSTART - 1)
        if (substr(found, 1, 1) == "[") out = out "[" scaled(substr(found, 2, length(found) - 2)) "]"
        else out = out "for: " scaled(substr(found, 6))
        $0 = substr($0, RSTART + match_length)
      }
      print out $0
    }'
}

# start_prometheus FACTOR SCRAPE-SECONDS: rules and targets as shipped, but for times and addresses. Address in PROMETHEUS.
start_prometheus() {
  local rules
  mkdir -p "$SANDBOX/prometheus/rules"
  for rules in "$DEPLOY"/prometheus/rules/*.yml; do
    shorten "$1" <"$rules" >"$SANDBOX/prometheus/rules/$(basename "$rules")"
  done
  sed -e "s|interval: 15s|interval: ${2}s|; s|timeout: 5s|timeout: ${2}s|" -e "s|127.0.0.1:8080|${SPILLWAY_SERVER#http://}|" \
    -e "s|127.0.0.1:9093|${ALERTMANAGER:-127.0.0.1:9}|" \
    "$DEPLOY/prometheus/prometheus.yml" >"$SANDBOX/prometheus/prometheus.yml"
  promtool check config "$SANDBOX/prometheus/prometheus.yml" >"$SANDBOX/out" 2>&1 || fail "the configuration: $(cat "$SANDBOX/out")"
  serve_in_sandbox prometheus prometheus --config.file="$SANDBOX/prometheus/prometheus.yml" \
    --storage.tsdb.path="$SANDBOX/prometheus/data" --web.listen-address=127.0.0.1:0
  PROMETHEUS=http://$LISTENS
  export PROMETHEUS
}

# ask EXPRESSION: the JSON of an instant query.
ask() { curl --silent --fail --max-time 10 "$PROMETHEUS/api/v1/query" --data-urlencode "query=$1"; }
has_sample() { [[ $(ask "$1" | jq '.data.result | length') -gt 0 ]]; }

# engine NAME MODEL [OPTION...]: an engine of others; its address in ENGINE, its pid in PID.
engine() {
  local name=$1 model=$2 tries
  shift 2
  : >"$SANDBOX/$name.log"
  (cd "$SANDBOX" && exec spillway engine --device nvidia-a10g-24g --listen 127.0.0.1:0 --speedup 20 --model "$model" "$@") \
    >"$SANDBOX/$name.log" 2>&1 &
  PID=$!
  disown "$PID"
  for ((tries = 0; tries < 600; ++tries)); do
    ENGINE=$(sed -n 's/^listening on //p' "$SANDBOX/$name.log")
    [[ -z $ENGINE ]] || return 0
    sleep 0.05
  done
  fail "the engine $name did not start: $(cat "$SANDBOX/$name.log")"
}

# chat MODEL [COUNT [TOKENS]]: streamed requests, all at once up to 32; answers are thrown away.
chat() {
  curl --silent --max-time 60 -Z --parallel-immediate --parallel-max 32 --output /dev/null "$SPILLWAY_SERVER/v1/chat/completions#[1-${2:-1}]" -d '{"model": "'"$1"'",
    "stream": true, "max_tokens": '"${3:-16}"', "messages": [{"role": "user", "content": "Tell me of rivers and dams."}]}' 2>/dev/null || true
}
