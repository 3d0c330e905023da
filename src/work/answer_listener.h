// AnswerListener: one streamed answer's events as a Reply: its text, how it ended, what it took.
//
// Passes text on as it comes. What it is given lives longer than it does. One thread.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "dialect/dialect.h"
#include "work/endpoint.h"

namespace nl::work {

class AnswerListener final : public dialect::EventSink {
 public:
  AnswerListener(Reply& reply, const OnText& on_text) : reply_(reply), on_text_(on_text) {}

  void on_event(const chat::Event& event) override;

  const chat::Usage& usage() const { return usage_; }
  const std::optional<Error>& error() const { return error_; }
  bool has_text() const { return !reply_.text.empty(); }

 private:
  void take(const std::string& piece);

  Reply& reply_;
  const OnText& on_text_;
  chat::Usage usage_;
  std::optional<Error> error_;
};

}  // namespace nl::work
