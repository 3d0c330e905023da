// What both modes of the Messages writer keep of an answer: counts, stop reason, signatures.
//
// Tally sums usage and decides the stop reason; Signature mints one for thinking that came without;
// MessageFolder is the whole mode. Values of one answer; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chat/event.h"
#include "dialect/dialect.h"
#include "dialect/json_writer.h"

namespace nl::dialect::anthropic {

std::string_view reason_name(chat::StopReason reason);

class Tally {
 public:
  explicit Tally(std::int64_t input_estimate) : input_estimate_(input_estimate) {}

  void take(const chat::Event& event);
  // Vendors disagree on the word for an answer that calls tools; what it holds decides.
  chat::StopReason stop(chat::StopReason stated) const;
  // The usage object; what no event stated is estimated.
  void append_usage(JsonWriter& json) const;

 private:
  chat::Usage usage_;
  std::int64_t input_estimate_;
  std::size_t text_bytes_ = 0;
  bool saw_tool_ = false;
};

// A signature for thinking that has none: clients insist on one, send it back, and we know it by
// its mark. It is made of the text, so that the same answer is the same bytes.
class Signature {
 public:
  void begin() { *this = Signature(); }
  // A thinking or signature delta.
  void take(const chat::Event& event);
  bool is_missing() const { return !signed_; }
  std::string mint() const;

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  bool signed_ = false;
};

// Events -> one message object. `context` outlives it.
class MessageFolder {
 public:
  explicit MessageFolder(const AnswerContext& context)
      : context_(context), tally_(context.input_estimate) {}

  void fold(const chat::Event& event);
  std::string whole() const;

 private:
  // The block that is open; all text still escaped.
  struct Block {
    chat::BlockKind kind = chat::BlockKind::opaque;
    std::string id;
    std::string name;
    std::string text;  // text, thinking or arguments
    std::string signature;
  };
  void delta(const chat::Event& event);
  void close_block();
  // False for blocks that are empty or have no form here.
  bool is_written() const;

  const AnswerContext& context_;
  Tally tally_;
  Signature signature_;
  Block block_;
  std::string content_;  // finished blocks, with commas between
  std::string stop_sequence_;
  chat::StopReason stop_ = chat::StopReason::none;
};

}  // namespace nl::dialect::anthropic
