# The parts of scripts/test --deep. Each is a function part_NAME that fails when it finds something.
# shellcheck shell=bash
DEEP_PARTS=(asan-ubsan tsan tidy fuzz soak bench-smoke)
DEEP_PART_LIMIT=35m

# A part runs in a shell of its own, so that a time limit ends all of it.
run_deep_part() {
  timeout --kill-after=20s "$DEEP_PART_LIMIT" bash -c \
    'source "$1/scripts/common.sh"; ROOT=$1; source "$1/scripts/deep-parts.sh"; "part_$2"' \
    deep "$ROOT" "${1//-/_}"
}

# All tests of a build folder; results go to FOLDER/tests.xml. Tests come in pairs because some wait
# for real commands: on two cores that costs nothing.
run_ctest() {
  local folder=$1
  shift
  ctest --test-dir "$folder" -j "${SPILLWAY_TEST_JOBS:-2}" --output-on-failure --progress --no-tests=error \
    --output-junit "$folder/tests.xml" "$@" >"$folder/tests.log" 2>&1 && return
  # Everything but the tests that passed.
  grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test.* (Passed|Skipped))' "$folder/tests.log" | tail -n 300 >&2
  return 1
}

# The sanitizers see every room; the house's own checks of text and layout need them not, and the
# many kills of the end-to-end tests are the soak's.
part_asan_ubsan() {
  "$ROOT/scripts/build" asan-ubsan
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    run_ctest "$ROOT/build/asan-ubsan" -LE 'house|slow'
}

# Only rooms in which more than one thread runs. The router's own tests have one; its threads meet in
# the dispatcher's.
part_tsan() {
  local targets
  cmake --preset tsan >/dev/null
  mapfile -t targets < <(ninja -C "$ROOT/build/tsan" -t targets all |
    sed -nE 's/^((net|adapters|supervisor|modelled|openai|controller|northbound|store|metrics|serve|host)[a-z_]*_test): phony$/\1/p')
  ((${#targets[@]} > 0)) || die "no tests of rooms with threads were found"
  "$ROOT/scripts/build" tsan "${targets[@]}"
  local names
  names=$(printf '|%s' "${targets[@]%_test}")
  # The prefix of a test's name is its target's.
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
    run_ctest "$ROOT/build/tsan" -R "^(${names:1})\\." -LE 'house|slow'
}

# A compile with clang, and its checks of .clang-tidy, of everything that ships; a source that did not
# change is not read again. One finding does not hide the next.
part_tidy() { SPILLWAY_CMAKE_OPTIONS='-DSPILLWAY_TESTS=OFF' "$ROOT/scripts/build" tidy -k 0; }

# Every target for a fixed while, first over its kept inputs, then over new ones. What it found stays
# in build/fuzz/corpus for the next time.
SPILLWAY_FUZZ_SECONDS=${SPILLWAY_FUZZ_SECONDS:-600} # for all targets together
part_fuzz() {
  local targets target room name each folder=$ROOT/build/fuzz
  cmake --preset fuzz >/dev/null
  mapfile -t targets < <(ninja -C "$folder" -t targets all | sed -nE 's/^(fuzz_[a-z_]+): phony$/\1/p' | grep -v _sources)
  ((${#targets[@]} > 0)) || die "the fuzz preset has no targets"
  "$ROOT/scripts/build" fuzz "${targets[@]}"
  each=$((SPILLWAY_FUZZ_SECONDS / ${#targets[@]}))
  for target in "${targets[@]}"; do
    room=${target#fuzz_} name=${target#fuzz_*_} room=${room%%_*}
    local inputs=("$folder/corpus/$target")
    mkdir -p "${inputs[0]}"
    [[ ! -d $ROOT/tests/fuzz/$room/seeds/$name ]] || inputs+=("$ROOT/tests/fuzz/$room/seeds/$name")
    "$folder/tests/fuzz/$room/$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$folder/$target-" "${inputs[@]}" >"$folder/$target.log" 2>&1 || {
      tail -n 40 "$folder/$target.log" >&2
      return 1
    }
    say "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$target.log") inputs in $each s"
  done
}

# Many more kill points and a long life under load, of the program as it ships. The seed is printed;
# SPILLWAY_SEED repeats it.
part_soak() {
  SPILLWAY_CMAKE_OPTIONS='-DSPILLWAY_TESTS=ON' "$ROOT/scripts/build" release spillway
  SPILLWAY_KILL_POINTS=${SPILLWAY_KILL_POINTS:-150} SPILLWAY_SEED=${SPILLWAY_SEED:-$(date +%s)} \
    run_ctest "$ROOT/build/release" -C soak -L slow -j 1
}

# Each bench once and briefly: that it runs and counts no allocation where it promises none.
part_bench_smoke() {
  SPILLWAY_CMAKE_OPTIONS='-DSPILLWAY_TESTS=ON -DSPILLWAY_BENCH=ON' "$ROOT/scripts/build" release
  local bench
  for bench in "$ROOT"/build/release/bench/*; do
    [[ -f $bench && -x $bench ]] || continue
    say "bench $(basename "$bench")"
    SPILLWAY_BENCH_SMOKE=1 timeout 300 "$bench" --benchmark_min_time=0.05 >&2
  done
}
