# Flags that hold in every room, and three functions: a room, its tests, a bench.
add_library(spillway_flags INTERFACE)
target_include_directories(spillway_flags INTERFACE ${PROJECT_SOURCE_DIR})
# -ffp-contract=off: a decision never hangs on whether the compiler fused a multiply and an add.
target_compile_options(spillway_flags INTERFACE -Wall -Wextra -Wpedantic -Wno-missing-field-initializers
                       -ffp-contract=off)
if(SPILLWAY_WERROR)
  target_compile_options(spillway_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these two falsely inside coroutines, variants and optionals (GCC bugs 105562, 105329).
  target_compile_options(spillway_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
if(SPILLWAY_SANITIZE)
  target_compile_options(spillway_flags INTERFACE -fsanitize=${SPILLWAY_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(spillway_flags INTERFACE -fsanitize=${SPILLWAY_SANITIZE})
endif()

# spillway_room(NAME SOURCES a.cc ... LINKS spillway_core absl::time ...)
# Links are PUBLIC: list what the headers show; add what only sources use with target_link_libraries(... PRIVATE ...).
function(spillway_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS" ${ARGN})
  add_library(spillway_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(spillway_${name} PUBLIC spillway_flags ${ROOM_LINKS})
endfunction()

# spillway_test(NAME SOURCES a_test.cc ... LINKS spillway_core ...): one binary, one CTest entry a case.
function(spillway_test name)
  cmake_parse_arguments(T "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name}_test ${T_SOURCES})
  target_link_libraries(${name}_test PRIVATE spillway_flags ${T_LINKS} GTest::gmock GTest::gtest_main)
  # Where the tree and the build are: only for sources that ask, since a path in the command makes the
  # compiler cache miss in every other checkout.
  foreach(source ${T_SOURCES})
    file(STRINGS ${source} asks REGEX "SPILLWAY_(SOURCE|BINARY)_DIR" LIMIT_COUNT 1)
    if(asks)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS SPILLWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                   SPILLWAY_BINARY_DIR="${PROJECT_BINARY_DIR}")
    endif()
  endforeach()
  # Without its values a test is called the same in every build: some of them print their addresses.
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}." NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 300)
endfunction()

# spillway_bench(NAME SOURCES a.cc LINKS ...): build/<preset>/bench/NAME
function(spillway_bench name)
  cmake_parse_arguments(B "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(bench_${name} ${B_SOURCES})
  set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name}
                        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
  target_link_libraries(bench_${name} PRIVATE spillway_flags ${B_LINKS})
endfunction()
