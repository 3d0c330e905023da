// The published scores of Gemma 4, as compiled into this program from scores.toml.
//
// For the cheat sheet only: nothing is chosen by them. parse_scores() is pure; any thread. It
// refuses a figure without a source that the file explains, and a caveat that it does not.
#pragma once

#include <string_view>

#include "base/error.h"
#include "sheet/sheet_facts.h"

namespace nl::app {

// The data file's text, by the build.
extern const std::string_view kScoresText;

// Errors: config (the message names the model and the key).
Result<sheet::Scores> parse_scores(std::string_view toml);

// Those of this program.
sheet::Scores published_scores();

}  // namespace nl::app
