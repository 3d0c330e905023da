// Text forms of requests, events and JSON for tests: what golden files show and properties compare.
//
// One line per message, block and event. Not part of any product path: linked into the tests alone.
// Pure functions and one collector; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chat/event.h"
#include "chat/request.h"
#include "dialect/dialect.h"

namespace nl::dialect {

// One line per part of `request`; a tool schema as its size.
std::string dump(const chat::Request& request);

// One line, without its end.
std::string dump(const chat::Event& event);

// `json` over several lines where it is long; what does not parse, as it is.
std::string pretty(std::string_view json);

// Keeps events as lines.
class EventLines final : public EventSink {
 public:
  void on_event(const chat::Event& event) override;
  void add(std::string line) { lines_.push_back(std::move(line)); }
  const std::vector<std::string>& lines() const { return lines_; }
  std::string text() const;
  // What a reader of the whole answer sees: deltas of a block joined, pings and block starts of
  // blocks without content gone, the last usage alone.
  std::string gist() const;

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> gist_;
  std::string block_;  // the open block's gist
  bool has_content_ = false;
  chat::Usage usage_;
  chat::DeltaKind last_delta_ = chat::DeltaKind::opaque;
};

}  // namespace nl::dialect
