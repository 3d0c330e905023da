// The rows behind decide(): what an upstream may say, and what follows from it. Data only.
//
// A row matches when every field it sets matches; the first matching row wins, so the special ones
// stand above the general ones. Texts are compared without regard to case. Adding a vendor's new
// signal is adding a row here and a line in verdict_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "router/route.h"
#include "router/verdict.h"

namespace nl::router {

// How long the scope stays out.
enum class Cooling : std::uint8_t {
  none,            // the breaker counts, nothing more
  brief,           // what the answer states, a minute at most: an overload passes
  stated,          // what the answer states; without a statement short and growing (Health)
  stated_or_hour,  // what the answer states, else until a probe in an hour
  stated_or_day,   // what the answer states, else until midnight in California
  hour,            // until somebody changes something: one probe an hour
  month,           // until the first of the next month, UTC
};

constexpr std::uint8_t vendor_bit(Vendor vendor) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(vendor));
}
constexpr std::uint8_t kAnyVendor = 0xff;
constexpr int kNoStatus = -1;  // an error event that stands for no HTTP status

struct Row {
  std::uint8_t vendors = kAnyVendor;
  int status = 0;                // 0 = any; kNoStatus = only without one
  int status_to = 0;             // a range of statuses, when set
  std::string_view kind = {};    // the vendor's type or code, whole
  std::string_view text = {};    // in the message, lower case
  std::string_view also = {};    // a second text in the message
  std::string_view header = {};  // header with this value
  std::string_view value = {};
  std::string_view claim = {};   // representative-claim begins with this
  std::string_view source = {};  // limit_source
  FailureClass failure = FailureClass::provider;
  Scope scope = Scope::attempt;
  Action action = Action::next_target;
  Cooling cooling = Cooling::none;
  std::string_view reason = {};
  bool ours_if_translated = false;  // our translation may be what was refused
};

// What a cloud provider said with a status or an error event.
std::span<const Row> cloud_rows();
// What a server of the local tier said. It is never cooled down, whatever the row.
std::span<const Row> local_rows();
// What the transport or the reader saw. Every ErrorCode has its row; `status` and `stream_error`
// have the row used when no cloud row matches.
Row transport_row(ErrorCode code);

}  // namespace nl::router
