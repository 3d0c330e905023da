// StreamOutcome: what became of an upstream's bytes: events, text, refusal, end.
//
// For tests of readers only: frames the bytes and feeds a reader in its constructor, keeps copies.
// One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "dialect/conversation_dump.h"
#include "dialect/dialect.h"

namespace nl::dialect {

class StreamOutcome final : public EventSink {
 public:
  // Feeds `bytes` in pieces of `piece_bytes` to a reader of `from`.
  StreamOutcome(const Dialect& from, std::string_view bytes, std::size_t piece_bytes = 1 << 20) {
    Framer framer(from.framing());
    const auto reader = from.make_reader();
    while (!bytes.empty() && error.empty()) {
      if (auto fed = framer.feed(bytes.substr(0, piece_bytes)); !fed) error = fed.error().message;
      bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
      for (auto frame = framer.next(); frame && error.empty(); frame = framer.next()) {
        take(*reader, *frame);
      }
    }
    if (!error.empty()) return;
    if (const auto last = framer.finish()) take(*reader, *last);
    if (error.empty()) reader->end(*this);
    finished = error.empty() && reader->finished();
  }

  void on_event(const chat::Event& event) override {
    events.on_event(event);
    has_content = has_content || chat::is_content(event);
    if (event.delta == chat::DeltaKind::text) text += event.text.utf8();
  }
  const std::vector<std::string>& lines() const { return events.lines(); }

  EventLines events;
  std::string text;   // all text deltas, unescaped
  std::string error;  // why a frame or the framing was refused; empty = it was not
  bool has_content = false;
  bool finished = false;  // the reader saw the terminal sequence

 private:
  void take(Reader& reader, const SseFrame& frame) {
    if (auto read = reader.frame(frame, *this); !read) error = read.error().message;
  }
};

}  // namespace nl::dialect
