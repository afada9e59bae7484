# Read by the other scripts: where the repository is, how to speak, how many compilers fit.
# shellcheck shell=bash
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -t 2 && -z ${NO_COLOR:-} ]]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' GREEN='' RED='' YELLOW='' PLAIN=''
fi

say() { printf '%s==>%s %s\n' "$GREEN" "$PLAIN" "$*" >&2; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }
die() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 1
}
# The comment at the top of the calling script is its help.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# "3 m 07 s"
spell_seconds() {
  if (($1 >= 60)); then printf '%d m %02d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

# Memory that may still be used, in MiB: of the machine, or of the container where that has less.
memory_left() {
  local left limit used
  left=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]]; then
    used=$(cat /sys/fs/cgroup/memory.current 2>/dev/null || echo 0)
    limit=$(((limit - used) / 1048576))
    if ((limit < left)); then left=$limit; fi
  fi
  echo "$left"
}

# As many compilers as there are cores, but one for each GiB of memory at most: the heaviest source
# takes about 800 MiB.
compilers() {
  local cores fit
  cores=$(nproc)
  fit=$(($(memory_left) / 1024))
  if ((fit < 1)); then fit=1; fi
  echo $((cores < fit ? cores : fit))
}
