// Probe: one small request to somebody whom Nightlight will need, and what came of it.
//
// ask_all() sends all of them at once, over a loop of its own, and is back when the last has
// answered or `within` has passed. GET unless there is a body; redirects are not followed, and TLS
// is verified as for every request. Blocking; off any other loop. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

namespace nl::doctor {

struct Probe {
  http::Endpoint endpoint;
  std::string target;   // "/v1/models"
  std::string headers;  // header lines with CRLF each; may hold a key
  std::string body;     // not empty = POST
};

// What came back: an error, or a head and the beginning of its body.
struct Answer {
  std::optional<Error> error;
  int status = 0;
  std::string content_type;
  std::string date;  // the Date header as it stood; empty = none
  WallTime at;       // this machine's time when it came
  std::string body;  // of it at most kProbeBodyMax bytes
  Duration took{};   // until its head

  bool answered() const { return !error.has_value(); }
};

inline constexpr std::size_t kProbeBodyMax = 1u << 20;

struct ProbeOptions {
  http::ClientOptions client;
  Duration within = std::chrono::seconds(8);
  // Told how many have answered, each time one has; may be empty.
  std::function<void(std::size_t answered)> progress;
};

// One Answer for each Probe, in their order.
std::vector<Answer> ask_all(const std::vector<Probe>& probes, const ProbeOptions& options);

}  // namespace nl::doctor
