// DrillBrain: what a scripted cloud of the drill knows and says; no model, a handful of rules.
//
// Reads a request of either dialect and decides: a shell step with a slow sentence before it, the
// code word of the conversation, or a sentence long enough to be cut. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/dialect.h"

namespace nl::drill {

// What matters of a request.
struct DrillTurn {
  std::string model;
  bool stream = false;
  bool include_usage = true;
  bool structured = false;  // a schema for the answer: a title, usually
  std::string shell;        // the name of the declared shell tool; empty = none
  int steps_done = 0;       // shell steps since the user last said something
  std::string code_word;    // the latest that was told; empty = none
  bool asks_for_word = false;
  bool asks_to_run = false;
  std::int64_t input_tokens = 0;  // about
};
// Errors: bad_request.
Result<DrillTurn> read_drill_turn(dialect::DialectId dialect, std::string_view body);

struct DrillSpeech {
  std::string text;
  std::string command;  // for the shell tool; empty = the turn ends
  std::int64_t output_tokens() const;
};
// `who` begins every sentence, `steps` is how many shell steps a task takes.
DrillSpeech think(const DrillTurn& turn, std::string_view who, int steps);

}  // namespace nl::drill
