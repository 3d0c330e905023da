// Relay: one upstream answer -> the client, event by event. Owns the commit point and the
// hold-back.
//
// Nothing goes to the client before the first content event, so a failure until then is free. Tool
// blocks are held back, start included, until they are whole while another target could take over.
// Same dialect on both sides: each event is validated, tapped and passed on with its own bytes.
// Otherwise reader -> events -> writer. A relay serves one attempt; loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chat/event.h"
#include "gateway/answer_bound.h"
#include "gateway/client_stream.h"
#include "gateway/engine_pace.h"
#include "gateway/options.h"
#include "gateway/tool_check.h"
#include "gateway/turn.h"
#include "provider/provider.h"

namespace nl::gateway {

// Whether another target could still take over if this one fails before its content.
enum class Backup : std::uint8_t { none, another_target };

struct RelaySetup {
  const provider::Provider& provider;
  const GatewayOptions& options;
  std::string headers;  // the answer's header lines
  std::string model;    // the target's own name for its model
  Backup backup = Backup::none;
  bool reasoning = false;  // the longer budgets
  Instant deadline{};      // of the whole attempt
  // Set for the engine: this and not `deadline` says how long it may take.
  std::optional<EnginePace> pace;
  // Set where calls are held to their declarations.
  std::optional<ToolCheckSetup> check;
};

// What bounds the answer to `turn`.
AnswerLimits answer_limits(const Turn& turn, const GatewayOptions& options);

// Whether an answer must be read into events even where both sides speak one dialect.
inline bool read_into_events(const RelaySetup& setup) {
  return setup.pace.has_value() || setup.check.has_value();
}

// Tells the pace what an event of the engine is a sign of.
void keep_pace(EnginePace& pace, const chat::Event& event, Instant now);

// The error of an answer in which nothing came for too long; the engine's keeper hears of it.
Error stalled(const provider::Provider& provider, Duration silence, Duration least);

// What was seen of an answer, whole or not.
struct AnswerTap {
  chat::Usage usage;
  chat::StopReason stop = chat::StopReason::none;
  std::string model;               // as the upstream calls it
  std::int64_t content_bytes = 0;  // text, thinking and argument bytes
  std::int64_t content_events = 0;
  std::optional<Instant> first_content;
  bool ended_by_us = false;  // it would not end; its usage is a guess
  // An error event inside the answer.
  std::string error_type;
  int error_status = 0;
};

// Whether `event` begins a tool call; and the same event with the tool's name as the client
// declared it, where an encoder had to shorten it.
bool starts_tool(const chat::Event& event);
chat::Event with_declared_name(const chat::Event& event, const chat::Request& request);

class Relay final : private dialect::EventSink {
 public:
  // All of them outlive it.
  Relay(Turn& turn, ClientStream& client, RelaySetup& setup);

  // Without an error the whole answer was relayed.
  http::asio::awaitable<Result<void>> run(provider::Opening& opening);
  // What was seen of it.
  AnswerTap take_tap() { return std::move(tap_); }

 private:
  enum class Lane : std::uint8_t { pass_through, translate };

  void on_event(const chat::Event& event) override;
  void see_content(const chat::Event& event);
  bool may_be_asked_again(const chat::Event& event) const;
  Result<void> take_frames(std::string_view bytes);
  Result<void> take(const dialect::SseFrame& frame);
  Error cut(Error error) const;
  void append(const dialect::SseFrame& frame);
  // Bytes already gathered, made to fit an answer that our early head opened.
  void adopt_early_head();
  http::asio::awaitable<Result<void>> read_stream(provider::Opening& opening);
  http::asio::awaitable<Result<void>> read_whole(provider::Opening& opening);
  Result<void> end_of_body();
  void end_if_full();
  http::asio::awaitable<void> drain(provider::Opening& opening);
  http::asio::awaitable<Result<void>> flush();
  Instant progress_deadline() const;
  dialect::EventSink& sink();

  Turn& turn_;
  ClientStream& client_;
  RelaySetup& setup_;
  Lane lane_;
  std::unique_ptr<dialect::Reader> reader_;
  std::unique_ptr<dialect::Writer> writer_;  // translate only
  std::optional<ToolCheck> check_;           // between bound_ and this
  AnswerBound bound_;                        // right behind reader_
  dialect::Framer framer_;                   // of the upstream's dialect
  AnswerTap tap_;
  std::string answer_id_;    // as the upstream calls it
  std::string out_;          // gathered, not yet sent
  std::size_t opening_ = 0;  // bytes of out_ that open the answer
  std::size_t safe_ = 0;     // bytes of out_ that are not held back
  std::size_t hold_from_ = 0;
  bool may_hold_ = false;
  bool holding_ = false;
  bool content_ = false;  // some content is in the safe part or was sent
  bool progressed_ = false;
  bool finished_ = false;    // the terminal event was seen
  bool closed_ = false;      // pass-through: the frame that ends the answer was gathered
  dialect::Renaming names_;  // pass-through: what is to be replaced in each frame
  std::optional<Error> event_error_;
  Instant progress_at_{};
};

}  // namespace nl::gateway
