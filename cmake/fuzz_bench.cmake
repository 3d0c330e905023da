# fuzz/NAME_fuzz.cc and bench/NAME_bench.cc: each file is one executable over all modules.
set(all_modules "")
foreach(module IN ITEMS app work documents standby config engine dialect http state gateway router
    provider chat base)
  if(TARGET ${module})
    list(APPEND all_modules ${module})
  endif()
endforeach()

add_custom_target(fuzzers)
if(NL_FUZZ)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/fuzz/*_fuzz.cc)
  # Every object is instrumented, so that the fuzzer sees the branches of the parsers.
  target_compile_options(nl_options INTERFACE -fsanitize=fuzzer-no-link)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM stem)
    add_executable(${stem} ${source})
    target_link_libraries(${stem} PRIVATE ${all_modules} nl_options)
    target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${stem})
  endforeach()
endif()

if(NL_BENCH)
  find_package(benchmark REQUIRED)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*_bench.cc)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM stem)
    add_executable(${stem} ${source})
    target_link_libraries(${stem} PRIVATE ${all_modules} benchmark::benchmark
      benchmark::benchmark_main nl_options)
    set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY
      ${PROJECT_BINARY_DIR}/bench)
  endforeach()
  # A peer of the benchmark harness, not a microbenchmark.
  add_executable(relay_bet ${PROJECT_SOURCE_DIR}/bench/relay_bet.cc)
  target_link_libraries(relay_bet PRIVATE http base nl_options)
  nl_reuse_pch(relay_bet TRUE)
  # A simulation that drives the scheduler of warm standby.
  add_executable(standby_trace ${PROJECT_SOURCE_DIR}/bench/standby_trace.cc)
  target_link_libraries(standby_trace PRIVATE standby dialect chat base nl_options)
  # Both ends of the streams that bench/standby_cost.py measures.
  add_executable(paced_streams ${PROJECT_SOURCE_DIR}/bench/paced_streams.cc)
  target_link_libraries(paced_streams PRIVATE base nl_options)
endif()
