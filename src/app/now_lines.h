// What the running gateway says of itself, as lines for the cheat sheet: who answers, which model
// is loaded, which conversations are warm.
//
// A pure function of the JSON of /nightlight/status. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "sheet/sheet_facts.h"

namespace nl::app {

// Empty text, or what is no gateway's: it does not run.
std::vector<sheet::NowLine> now_lines(std::string_view status_json);

}  // namespace nl::app
