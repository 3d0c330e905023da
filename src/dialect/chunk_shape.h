// ChunkShape: what stays the same from one chunk of a streamed text to the next.
//
// The chunks that carry an answer's words mostly differ in the words alone. One that equals the
// chunk before it everywhere else, and whose words are the inside of a valid JSON string, is valid
// JSON that says the same about everything else: it need not be parsed again. In a reader, before
// the parser. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "chat/event.h"
#include "dialect/dialect.h"

namespace nl::dialect {

class ChunkShape {
 public:
  // Where `data` says its words, if it is as the remembered chunk but for them. Nothing also for
  // words that only the parser judges: none at all, \u escapes, and everything that is not valid.
  std::optional<std::string_view> words_of(std::string_view data) const;
  // Remembers a valid chunk; `words`: the inside of one of its strings, a view into `data`.
  void remember(std::string_view data, std::string_view words);
  void forget() { known_ = false; }

 private:
  bool known_ = false;
  std::string before_;  // with the quote that begins the words
  std::string after_;   // with the quote that ends them
};

// Passes a chunk's events on, and tells whether they were nothing but one piece of text or
// thinking.
class OnlyWords final : public EventSink {
 public:
  explicit OnlyWords(EventSink& sink) : sink_(sink) {}

  void on_event(const chat::Event& event) override;
  // Whether they were, and the words are a view into `data`.
  bool words_in(std::string_view data) const;
  std::string_view words() const { return words_; }
  chat::BlockKind kind() const { return kind_; }

 private:
  EventSink& sink_;
  std::size_t events_ = 0;
  std::string_view words_;
  chat::BlockKind kind_ = chat::BlockKind::text;
};

}  // namespace nl::dialect
