#!/bin/sh
# Lints the OpenAPI file with redocly (recommended) and spectral (spectral:oas): nothing at all may
# be found, warnings included. Installs both from the committed lock file where they are missing.
set -eu
cd "$(dirname "$0")"
api=../../controller/northbound/openapi.yaml
export CI=1 REDOCLY_TELEMETRY=off NO_COLOR=1

wanted=$(cksum < package-lock.json)
if [ "$(cat node_modules/.lock 2>/dev/null || true)" != "$wanted" ]; then
  npm ci --no-audit --no-fund --silent
  echo "$wanted" > node_modules/.lock
fi

found=$(node_modules/.bin/redocly lint --extends=recommended --format=json "$api" 2>/dev/null |
  node -e '
    let text = "";
    process.stdin.on("data", (part) => (text += part)).on("end", () => {
      const report = JSON.parse(text);
      const {errors, warnings, ignored} = report.totals;
      for (const p of report.problems) console.error(p.severity, p.ruleId, p.message);
      console.log(errors + warnings + ignored);
    });')
[ "$found" = 0 ] || { echo "redocly found $found problems"; exit 1; }
node_modules/.bin/spectral lint --quiet --ruleset .spectral.yaml --fail-severity=hint "$api"
echo "redocly and spectral find nothing in openapi.yaml"
