// GatewayOptions: every bound and rule of the way of a request, as plain values.
//
// Filled by app from configuration, defaults as DESIGN 2 and 5 state them; times are already
// scaled. Read-only while the gateway lives; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "router/planner.h"

namespace nl::gateway {

enum class HoldTools : std::uint8_t { hold, stream };

struct GatewayOptions {
  Duration first_progress = std::chrono::seconds(60);
  Duration silence = std::chrono::seconds(30);
  Duration reasoning = std::chrono::seconds(300);
  Duration early_head = std::chrono::seconds(10);
  Duration filler = std::chrono::seconds(10);
  Duration wait = std::chrono::seconds(300);         // for any target to come back
  Duration total = std::chrono::seconds(600);        // one attempt, at least
  Duration whole_first = std::chrono::seconds(120);  // a whole answer, while another target is left
  Duration watch = std::chrono::milliseconds(400);   // how often the client's presence is checked
  std::size_t answer_bytes_max = 64u << 20;
  std::size_t held_bytes_max = 4u << 20;
  std::size_t queue_max = 256;
  HoldTools hold_tools = HoldTools::hold;
  std::vector<std::string> hosts;  // further Host names
  std::vector<Secret> tokens;      // what a client must present; empty = keyless
};

}  // namespace nl::gateway
