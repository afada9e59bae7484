# The simulator's queue of events, and two simulators beside it where they are found. Each is a program
# of its own, so that nothing else is linked with them.
spillway_bench(simulator SOURCES simulator.cc LINKS spillway_simulator Boost::random fmt::fmt)

# spillway_peer(NAME SOURCE VARIABLE INCLUDE_DIR LIBRARY): bench/parts/NAME, whose path VARIABLE names; "" if not found.
function(spillway_peer name source variable include_dir library)
  set(program "")
  if(${include_dir} AND ${library})
    spillway_bench(${name} SOURCES ${source} LINKS ${${library}} Boost::random)
    target_include_directories(bench_${name} SYSTEM PRIVATE ${${include_dir}})
    set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench/parts)
    add_dependencies(bench_simulator bench_${name})
    set(program $<TARGET_FILE:bench_${name}>)
  else()
    message(STATUS "bench/simulator without ${name}: not found")
  endif()
  target_compile_definitions(bench_simulator PRIVATE ${variable}="${program}")
endfunction()

# libns3-dev
find_path(SPILLWAY_NS3_INCLUDE ns3/map-scheduler.h)
find_library(SPILLWAY_NS3_LIBRARY ns3-core)
spillway_peer(ns3_hold simulator_ns3.cc SPILLWAY_NS3_HOLD SPILLWAY_NS3_INCLUDE SPILLWAY_NS3_LIBRARY)

# libsimgrid3.32, and the headers of libsimgrid-dev, which cannot be installed beside Boost 1.81: bench/get-simulators
# unpacks them.
find_path(SPILLWAY_SIMGRID_INCLUDE simgrid/s4u.hpp HINTS ${PROJECT_SOURCE_DIR}/build/peers/simgrid/usr/include)
find_library(SPILLWAY_SIMGRID_LIBRARY NAMES simgrid libsimgrid.so.3.32)
spillway_peer(simgrid_queue simulator_simgrid.cc SPILLWAY_SIMGRID_QUEUE SPILLWAY_SIMGRID_INCLUDE SPILLWAY_SIMGRID_LIBRARY)
