#include "clients/masking.h"

#include <algorithm>
#include <array>

namespace nl::clients {
namespace {

constexpr std::string_view kMask = "***";
// How vendors begin their keys, and how long one is at least.
constexpr std::array<std::string_view, 7> kKeyForms = {"sk-",  "AIza", "gsk_",       "xai-",
                                                       "ghp_", "hf_",  "github_pat_"};
constexpr std::size_t kKeyLeast = 12;

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWords = {
      "key", "token", "secret", "password", "passwd", "credential", "authorization", "cookie"};
  std::string lower;
  for (const char c : name) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool is_key(std::string_view word) {
  return word.size() >= kKeyLeast && std::ranges::any_of(kKeyForms, [&](std::string_view form) {
           return word.starts_with(form);
         });
}

class Masker {
 public:
  explicit Masker(std::string_view line) : line_(line) {}

  std::string all() {
    while (at_ < line_.size()) {
      if (line_.substr(at_, 3) == "://") {
        login();
      } else if (is_of_name(line_[at_])) {
        word();
      } else {
        out_ += line_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  // What stands between "://" and an @ of the same address.
  void login() {
    out_ += "://";
    at_ += 3;
    const std::size_t end = std::min(line_.find_first_of("/\"' \t,;\r\n", at_), line_.size());
    const std::size_t sign = line_.substr(0, end).rfind('@');
    if (sign == std::string_view::npos || sign < at_) return;
    out_ += kMask;
    at_ = sign;
  }

  void word() {
    std::size_t end = at_;
    while (end < line_.size() && is_of_name(line_[end])) ++end;
    const std::string_view name = line_.substr(at_, end - at_);
    at_ = end;
    if (is_key(name)) {
      out_ += kMask;
      return;
    }
    out_ += name;
    if (names_secret(name)) value();
  }

  // Of the name that has just been read, where one follows.
  void value() {
    std::size_t next = line_.find_first_not_of("\"' \t", at_);
    if (next == std::string_view::npos || (line_[next] != ':' && line_[next] != '=')) return;
    next = std::min(line_.find_first_not_of(" \t", next + 1), line_.size());
    out_ += line_.substr(at_, next - at_);
    at_ = next;
    const char first = at_ < line_.size() ? line_[at_] : '\0';
    if (first == '{') return;
    if (first == '"' || first == '\'') {
      out_ += first;
      do {
        at_ += line_[at_] == '\\' ? 2 : 1;
      } while (at_ < line_.size() && line_[at_] != first);
      at_ = std::min(at_, line_.size());
    } else if (first == '[') {
      out_ += first;
      at_ = std::min(line_.find_first_of("]\r\n", at_), line_.size());
    } else if (is_of_header()) {
      // "Authorization: Bearer ..." inside a text ends with it.
      at_ = std::min(line_.find_first_of("\"'\r\n", at_), line_.size());
    } else {
      at_ = std::min(line_.find_first_of(" \t,;}\"'\r\n", at_), line_.size());
    }
    out_ += kMask;
  }
  bool is_of_header() const {
    return std::ranges::any_of(
        std::array<std::string_view, 2>{"Bearer ", "Basic "},
        [&](std::string_view word) { return line_.substr(at_).starts_with(word); });
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string masked(std::string_view line) {
  return Masker(line).all();
}

std::string shown_value(std::string_view name, std::string_view value) {
  return names_secret(name) ? std::string(kMask) : masked(value);
}

}  // namespace nl::clients
