# nl_options: what every target of ours is compiled and linked with. Warnings are errors; headers of
# other projects come from the system folders and are exempt.
add_library(nl_options INTERFACE)
# Coroutine frames: a request nests about ten, so more than Asio's two are kept for reuse, and plain
# new serves the rest: aligned_alloc, Asio's choice, is several times slower in glibc.
target_compile_definitions(nl_options INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8 BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC
  BOOST_ASIO_DISABLE_BOOST_ALIGN)
target_compile_options(nl_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wswitch-enum -Wnon-virtual-dtor -fPIE -fno-omit-frame-pointer)
target_link_options(nl_options INTERFACE -pie)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through a precompiled header. g++ 12 takes the frame allocator
  # of awaitable for a mismatched pair once it inlines one half of it.
  target_compile_options(nl_options INTERFACE -Werror -fpch-preprocess -Wno-error=invalid-pch
    -Wno-mismatched-new-delete)
else()
  # clang serves fuzzing and tidy: its own warnings do not stop a build. libstdc++ 12 hides expected
  # and coroutines behind feature-test macros that clang 16 implements but does not announce.
  target_compile_options(nl_options INTERFACE -D__cpp_concepts=202002L -Wno-macro-redefined
    -D__cpp_impl_coroutine=201902L -Wno-builtin-macro-redefined -Wno-sign-conversion)
endif()

if(NL_SANITIZE)
  target_compile_options(nl_options INTERFACE -fsanitize=${NL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(nl_options INTERFACE -fsanitize=${NL_SANITIZE})
  if(NL_SANITIZE STREQUAL "thread")
    # ThreadSanitizer knows no fences; Asio's queues are ordered by their mutexes without them.
    target_compile_definitions(nl_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # There the frames come from operator new, which keeps them for reuse (base/block_cache.h): Asio
  # looks through its few one by one, and keeps none above 1,020 bytes.
  target_compile_definitions(nl_options INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS
    BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
  target_compile_options(nl_options INTERFACE -fstack-protector-strong)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT APPLE)
    target_compile_options(nl_options INTERFACE -fstack-clash-protection -fcf-protection)
  endif()
  if(NOT APPLE)
    target_link_options(nl_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack
      -Wl,--gc-sections -Wl,--as-needed)
  endif()
  target_compile_options(nl_options INTERFACE -ffunction-sections -fdata-sections)
endif()

# Release carries fmt, spdlog and SQLite inside: each shared library costs 0.2 ms or more
# at the start. OpenSSL stays shared, so that the system's security updates reach it, and so does
# simdjson (Debian has no static one), which is why libstdc++ is not linked statically.
set(NL_FMT fmt::fmt)
set(NL_SPDLOG spdlog::spdlog)
set(NL_SQLITE SQLite::SQLite3)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(NL_FMT fmt::fmt-header-only)
  set(NL_SPDLOG spdlog::spdlog_header_only)
  find_library(NL_SQLITE_ARCHIVE libsqlite3.a)
  mark_as_advanced(NL_SQLITE_ARCHIVE)
  if(NL_SQLITE_ARCHIVE)
    set(NL_SQLITE ${NL_SQLITE_ARCHIVE} m dl)
  endif()
endif()

# A quicker linker when the machine has one.
find_program(NL_MOLD mold)
find_program(NL_LLD ld.lld)
mark_as_advanced(NL_MOLD NL_LLD)
if(NL_MOLD)
  target_link_options(nl_options INTERFACE -fuse-ld=mold)
elseif(NL_LLD)
  target_link_options(nl_options INTERFACE -fuse-ld=lld)
endif()

# The sloppiness is what lets ccache keep objects built with a precompiled header.
find_program(NL_CCACHE ccache)
mark_as_advanced(NL_CCACHE)
if(NL_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros ${NL_CCACHE})
endif()

# One precompiled header for the modules that speak Asio: it is most of their compile time.
if(NL_PCH)
  file(WRITE ${PROJECT_BINARY_DIR}/asio_pch.cc.in "// Carrier of the precompiled header.\n")
  configure_file(${PROJECT_BINARY_DIR}/asio_pch.cc.in ${PROJECT_BINARY_DIR}/asio_pch.cc COPYONLY)
  add_library(asio_pch OBJECT ${PROJECT_BINARY_DIR}/asio_pch.cc)
  target_link_libraries(asio_pch PRIVATE ${NL_FMT} nl_options)
  target_precompile_headers(asio_pch PRIVATE <boost/asio.hpp> <boost/asio/ssl.hpp> <fmt/format.h>
    <chrono> <expected> <functional> <memory> <optional> <string> <variant> <vector>)
endif()
function(nl_reuse_pch target wanted)
  if(NL_PCH AND wanted)
    target_precompile_headers(${target} REUSE_FROM asio_pch)
  endif()
endfunction()
