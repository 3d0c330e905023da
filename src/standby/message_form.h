// One message of a conversation made shorter, by levels; and what it then weighs.
//
// A message keeps its place, its role, its calls and the ids of its results at every level but
// `gone`, so calls stay paired with results. Texts of the user are whole at every level but
// `tight`. What is new is kept in the Request given as owner. Pure; any thread.
#pragma once

#include <cstdint>

#include "chat/request.h"
#include "standby/cut_text.h"
#include "standby/token_counts.h"

namespace nl::standby {

enum class Level : std::uint8_t {
  whole,          // results of tools up to `arriving`
  short_results,  // results and long arguments to their beginning and end
  bare,           // thoughts and images left out as well
  tight,          // every long text to a few words
  gone,           // told by the summary
};

struct Losses {
  int results = 0;  // shortened
  int thoughts = 0;
  int images = 0;
  int texts = 0;  // shortened
};

struct FormRules {
  CutSize arriving;     // of a single result, however new it is
  bool images = false;  // the model reads them
};

chat::Message at_level(const chat::Message& message, Level level, const FormRules& rules,
                       chat::Request& owner);

// What `level` takes away from `message`.
Losses losses_of(const chat::Message& message, Level level, const FormRules& rules);

struct Weight {
  std::int64_t tokens = 0;
  bool exact = true;
};
Weight weight_of(const chat::Message& message, const TokenCounts& counts, const FormRules& rules);
Weight weight_of(const chat::Tool& tool, const TokenCounts& counts);

}  // namespace nl::standby
