// Prompt: a rendered request, and how much of it another one repeats.
//
// Made from a body as the provider is sent it. What the model reads is the body's messages and the
// members that stand before them in the template (tools, thinking); a Mark holds their hashes, so
// that it can be told later whether another body begins with the same bytes, without keeping any
// text. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nl::standby {

// How far something was read: the first `bytes` of a messages array.
struct Mark {
  std::uint64_t rest = 0;  // hash of what is not messages
  std::size_t bytes = 0;
  std::uint64_t hash = 0;

  bool empty() const { return bytes == 0; }
  friend bool operator==(const Mark&, const Mark&) = default;
};

class Prompt {
 public:
  Prompt() = default;
  // Errors: protocol, where `body` has no messages.
  static Result<Prompt> of(std::string body);

  // The same request with what stands before the first turn alone, system text and tools; empty
  // where there is no system message.
  Prompt prefix() const;

  const std::string& body() const { return body_; }
  // All of it.
  const Mark& mark() const { return mark_; }
  // Whether what `mark` stands for is a beginning of this prompt, whole messages at a time.
  bool begins_with(const Mark& mark) const;
  // The window it asks for, where the request states one; else 0.
  std::int64_t window() const { return window_; }
  bool has_tools() const { return has_tools_; }
  // Gives the text back; the mark stays.
  void drop_body() { body_ = std::string(); }

 private:
  std::string_view messages() const {
    return std::string_view(body_).substr(messages_at_, mark_.bytes);
  }

  std::string body_;
  std::size_t messages_at_ = 0;
  std::size_t system_bytes_ = 0;  // of `messages`, up to the end of a leading system message
  Mark mark_;
  std::int64_t window_ = 0;
  bool has_tools_ = false;
};

std::uint64_t hash_of(std::string_view text);

}  // namespace nl::standby
