// Verdict: what to do about a failed attempt. Error says what happened; this decides.
//
// An exhaustive table over what was seen: HTTP status, the vendor's own type and code, rate-limit
// headers, and the transport's ErrorCode. The rows are data (verdict_table.cc, from PROTOCOLS 6); a
// shape that no row knows is logged by the caller (known == false) and fails over once, except 400,
// 404, 413 and 422, which are the caller's. Pure; time is passed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "router/route.h"

namespace nl::router {

enum class FailureClass : std::uint8_t {
  network,     // this machine's way out: every cloud target is suspect at once
  provider,    // that provider is ill
  quota,       // that key or subscription is used up until a reset
  credential,  // that key is dead until the configuration or the client changes it
  request,     // the caller's fault: returned as it is
  capability,  // this model cannot (unknown model, prompt too long): only one that can
  local,       // the local tier itself
};
const char* name(FailureClass value);

enum class Scope : std::uint8_t { attempt, model, key, provider };
enum class Action : std::uint8_t {
  next_target,      // go on with the plan
  retry_then_next,  // one more try at the same target, then go on
  larger_window,    // go on, but only with targets of a larger context window
  other_model,      // go on with any target that is not this provider's same model
  drop_thinking,    // the same target once more without signed thinking, then as other_model
  give_up,          // return the error to the client
};

// Whether a long hold may be tested once an hour with one attempt before its end.
enum class Probe : std::uint8_t {
  hourly,
  never,  // even a success would cost money
};

struct Verdict {
  FailureClass failure = FailureClass::provider;
  Scope scope = Scope::attempt;
  Action action = Action::next_target;
  // How long the scope stays out. A structured reset is kept whole; a bare retry-after is capped at
  // one hour by decide().
  std::optional<Duration> cooldown;
  bool structured_reset = false;
  Probe probe = Probe::hourly;
  bool known = true;   // a row of the table matched
  std::string reason;  // for headers, status and why: "429 rate limit", "529 overloaded"
};

// Everything that may inform a verdict. Views live for the call.
struct Seen {
  Vendor vendor = Vendor::other;
  bool local = false;
  bool client_credential = false;
  // The request was translated into this target's dialect: a plain 400 may then be the
  // translation's fault, and targets of other dialects are still worth asking.
  bool translated = false;
  ErrorCode code = ErrorCode::status;
  int status = 0;               // HTTP status, or the one an error event stands for
  std::string_view type;        // vendor's error type
  std::string_view error_code;  // vendor's error code
  std::string_view message;
  std::string_view limit_source;            // OpenRouter's metadata.limit_source
  std::optional<std::int64_t> resets_in_s;  // stated in the body
  // The answer's header lines as (lower-case name, value), allow-listed by the provider.
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

Verdict decide(const Seen& seen, WallTime wall);

// A healthy 2xx may still say that the subscription is used up (unified-status: rejected): the
// verdict to apply after that answer, if any.
std::optional<Verdict> decide_after_success(const Seen& seen, WallTime wall);

}  // namespace nl::router
