// DrillWire: a scripted cloud's words in the bytes of its dialect, stream and whole, and its
// limits.
//
// Written by hand and without the dialect module's writers: a stand-in must not check the gateway
// by the gateway's own code. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "drill/brain.h"
#include "http/server.h"

namespace nl::drill {

// One write of a stream. A word is followed by a pause.
struct DrillPiece {
  std::string bytes;
  bool word = false;
};
std::vector<DrillPiece> stream_pieces(dialect::DialectId dialect, const DrillTurn& turn,
                                      const DrillSpeech& speech);
std::string whole_body(dialect::DialectId dialect, const DrillTurn& turn,
                       const DrillSpeech& speech);

// The vendor's own words for a used-up allowance that comes back after `reset`.
http::Answer limit_answer(dialect::DialectId dialect, WallTime now, Duration reset);
http::Answer error_answer(dialect::DialectId dialect, int status, std::string_view message);

}  // namespace nl::drill
