// Handover: what a gateway leaves to the program that replaces it in the same process.
//
// A planned restart executes the program on disk anew: same pid, so the engine's child stays ours
// and whoever watches the service sees no end. The addresses stay bound and idle connections open;
// the engine keeps its model. What is left is told in one variable of the environment, which holds
// numbers and paths only, and is believed only by the process that it names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "engine/handover.h"

namespace nl::app {

inline constexpr const char* kHandoverVariable = "NIGHTLIGHT_HANDOVER";

struct HandedListener {
  std::string address;  // as the configuration has it
  int descriptor = -1;
  int lock = -1;  // of the address
};

struct Handover {
  int restarts = 0;  // planned ones so far, this one included
  std::vector<HandedListener> listeners;
  std::vector<int> connections;
  std::optional<engine::HandedChild> engine;
};

// One line of JSON.
std::string handover_text(const Handover& handover);
// Errors: config (no handover, or to another process), io (a descriptor that is not open).
Result<Handover> parse_handover(std::string_view text);

// Every descriptor of it.
std::vector<int> descriptors_of(const Handover& handover);
enum class OnExec : std::uint8_t { close, keep };
// What becomes of the descriptors when this process executes a program.
void mark(const std::vector<int>& descriptors, OnExec on_exec);

// What `environment` and the process were left; both forget it. Nothing when there is none; one
// that cannot be read is told in the log.
std::optional<Handover> take_handover(Environment& environment);
// Ends what nobody has taken over: closes descriptors, kills the child.
void discard(Handover handover);

}  // namespace nl::app
