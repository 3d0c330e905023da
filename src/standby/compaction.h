// Compaction: which parts of a conversation are left out so that it fits a window.
//
// Decided in steps: a conversation that has grown beyond its high mark is brought down to its low
// mark at once, and stays as decided until it reaches the high mark again, so that what a model
// has read of it stays valid in between. In order: old results and arguments are shortened, old
// thoughts and images left out, the oldest exchanges summarised; then, only if that is not enough,
// the newest results are shortened too, and tools that were never called go. A call and its results
// go together; the system text and the user's latest words stay whole. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/request.h"
#include "standby/message_form.h"
#include "standby/token_counts.h"

namespace nl::standby {

struct Budget {
  std::int64_t tokens = 0;  // for the prompt, answer and margin left out
  std::int64_t high() const { return tokens * 9 / 10; }
  std::int64_t low() const { return tokens * 6 / 10; }
};

// What was decided for the first `levels.size()` messages.
struct Step {
  std::vector<Level> levels;
  std::vector<std::string> tools_out;  // names, escaped
  std::string summary;                 // of what is gone, escaped; empty = nothing is
  std::int64_t reached = 0;            // tokens
  bool fits = true;
};

// A summary that a model has made, of the first `messages` messages.
struct StandingSummary {
  std::size_t messages = 0;
  std::string text;  // escaped
};

struct CompactionInput {
  const chat::Request& request;  // profiled
  const TokenCounts& counts;
  FormRules rules;
  Budget budget;
  std::vector<std::string_view> core_tools;
  const StandingSummary* summary = nullptr;
};

// The client leaves the model no choice but this tool.
bool must_be_called(const chat::Request& request, const chat::Tool& tool);

Step make_step(const CompactionInput& input);

// The messages of one exchange: a user's words, or an assistant's turn with the results of its
// calls.
struct Exchange {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<Exchange> exchanges_of(const chat::Request& request);

// The message with the user's latest own words; messages.size() = none.
std::size_t latest_words(const chat::Request& request);

// Tokens of system text and tools.
Weight weight_of_frame(const chat::Request& request, const TokenCounts& counts);

}  // namespace nl::standby
