// AnswerBound: ends an answer that does not end by itself.
//
// A model can repeat itself for ever, and a server can forget the limit it was given. First in line
// behind a reader: counts what comes and passes it on; once it is too much, end_if_full() closes
// the open block, finishes with `max_tokens` and lets nothing more through. Tokens can only be
// guessed from pieces and bytes, so the guess is generous: an answer that keeps its limit is never
// cut. One answer; loop thread; `next` outlives it or is replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "chat/event.h"
#include "dialect/dialect.h"

namespace nl::gateway {

struct AnswerLimits {
  std::optional<std::int64_t> max_tokens;  // as the client asked
  std::int64_t bytes_max = 0;              // of all content
};

class AnswerBound final : public dialect::EventSink {
 public:
  AnswerBound(AnswerLimits limits, dialect::EventSink& next) : limits_(limits), next_(&next) {}

  void on_event(const chat::Event& event) override;
  void pass_to(dialect::EventSink& next) { next_ = &next; }
  // Between two frames: ends the answer if it is too much and has not ended by itself.
  void end_if_full();
  // Whatever reason the answer ends with, it was cut: the finish says `max_tokens`.
  void say_cut() { says_cut_ = true; }
  // True once it has ended the answer itself.
  bool stopped() const { return stopped_; }
  // What `dialect`'s client must still read behind the bytes of the answer that was stopped: the
  // end of the open block and of the answer.
  std::string closing(const dialect::Dialect& dialect, dialect::AnswerContext context) const;

 private:
  struct Open {
    std::uint32_t index;
    chat::BlockKind block;
  };

  void count(const chat::Event& event);
  bool is_too_much() const;
  void stop();
  chat::Event finish_event() const;
  chat::Event of_open(chat::EventKind kind) const;

  AnswerLimits limits_;
  dialect::EventSink* next_;
  std::int64_t bytes_ = 0;          // of every piece
  std::int64_t content_bytes_ = 0;  // without signatures and what only the vendor reads
  std::int64_t pieces_ = 0;         // that hold content
  chat::Usage usage_;
  std::uint32_t blocks_ = 0;
  std::optional<Open> open_;  // the block that has begun and not ended
  bool says_cut_ = false;
  bool over_ = false;  // a finish or an error was passed on
  bool stopped_ = false;
};

}  // namespace nl::gateway
