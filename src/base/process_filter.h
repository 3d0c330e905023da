// run_filter: another program that turns bytes into bytes, within bounds.
//
// For work that is better done apart from this process, such as reading a hostile file with a large
// library: the program gets `input` as its standard input, the environment named and nothing else,
// writes to standard output only (no file, no core), gains no privileges, and is killed at the
// first bound it reaches.
// What it had written until then is kept. It stands in a session of its own, so that a key press
// meant for us does not reach it, and ends with the thread that started it (Linux). Blocks; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace nl {

struct FilterOrder {
  std::vector<std::string> arguments;    // the first is the file
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string_view input;
  Duration time_max = std::chrono::seconds(60);
  std::size_t output_bytes_max = 64U << 20U;
  std::size_t memory_bytes_max = 0;  // of address space; 0 = as much as there is
};

enum class FilterEnd : std::uint8_t {
  done,       // it ended by itself with status 0
  failed,     // it ended by itself with another status
  crashed,    // a signal that was not ours
  timed_out,  // time_max
  too_much,   // output_bytes_max
};

struct FilterOutcome {
  FilterEnd end = FilterEnd::done;
  int status = 0;  // exit status, or the signal's number
  std::string output;
};

// Errors: io, when it could not be started.
Result<FilterOutcome> run_filter(const FilterOrder& order);

}  // namespace nl
