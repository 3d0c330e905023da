#include "dialect/json_walk.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace nl::dialect {
namespace {

using Role = JsonNode::Role;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// One past the last byte of the number at [p, limit), or nullptr if there is none.
const char* number_end(const char* p, const char* limit) {
  if (p < limit && *p == '-') ++p;
  if (p == limit || !is_digit(*p)) return nullptr;
  const bool zero = *p++ == '0';
  while (!zero && p < limit && is_digit(*p)) ++p;
  if (p < limit && *p == '.') {
    ++p;
    if (p == limit || !is_digit(*p)) return nullptr;
    while (p < limit && is_digit(*p)) ++p;
  }
  if (p < limit && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < limit && (*p == '+' || *p == '-')) ++p;
    if (p == limit || !is_digit(*p)) return nullptr;
    while (p < limit && is_digit(*p)) ++p;
  }
  return p;
}

class Walk {
 public:
  Walk(std::string_view text, std::span<const std::uint32_t> tokens, JsonNode* tape)
      : text_(text.data()),
        size_(text.size()),
        token_(tokens.data()),
        last_(tokens.data() + tokens.size()),
        tape_(tape),
        node_(tape) {}

  std::optional<JsonFault> run() {
    if (token_ == last_) return JsonFault{"no value", size_};
    if (!walk()) return fault_;
    if (token_ != last_) return JsonFault{"text after the value", *token_};
    *node_ = {*last_, *last_, 0, JsonNode::tag(JsonKind::null, Role::end)};
    return std::nullopt;
  }

 private:
  enum class Made { scalar, container, nothing };

  struct Open {
    JsonNode* node;
    std::uint32_t count;
    bool object;
  };

  // The byte the next token begins with; NUL, which begins no token of JSON, when there is none.
  char peek() const { return token_ != last_ ? text_[*token_] : '\0'; }

  bool refuse(const char* what, std::size_t at) {
    fault_ = {what, at};
    return false;
  }

  // The fault at the next token when `wanted` should stand there.
  bool refuse_token(const char* wanted) {
    if (token_ == last_) return refuse("the text ends inside a value", size_);
    return refuse(wanted, *token_);
  }

  // One turn per value: the value, then every close and the comma behind it.
  bool walk() {
    while (true) {
      const Made made = value();
      if (made == Made::nothing) return false;
      if (made == Made::container) {
        if (peek() != (open_.object ? '}' : ']')) {
          if (open_.object && !name("expected a name or '}'")) return false;
          continue;
        }
        close();
      }
      while (depth_ != 0 && peek() != ',') {
        if (peek() != (open_.object ? '}' : ']')) {
          return refuse_token(open_.object ? "expected ',' or '}'" : "expected ',' or ']'");
        }
        close();
      }
      if (depth_ == 0) return true;
      ++token_;
      if (open_.object && !name("expected a name")) return false;
    }
  }

  // The next token as a value: a scalar whole, or a container just opened.
  Made value() {
    ++open_.count;
    const char c = peek();
    switch (c) {
      case '"':
        return string(Role::value);
      case '{':
        return open(JsonKind::object);
      case '[':
        return open(JsonKind::array);
      case 't':
        return literal("true", JsonKind::boolean);
      case 'f':
        return literal("false", JsonKind::boolean);
      case 'n':
        return literal("null", JsonKind::null);
      default:
        break;
    }
    if (is_digit(c) || c == '-') return number();
    refuse_token("expected a value");
    return Made::nothing;
  }

  bool name(const char* wanted) {
    if (peek() != '"') return refuse_token(wanted);
    if (string(Role::name) == Made::nothing) return false;
    if (peek() != ':') return refuse_token("expected ':'");
    ++token_;
    return true;
  }

  Made scalar(std::uint32_t begin, std::uint32_t stop, std::uint32_t tag) {
    *node_ = {begin, stop, index() + 1, tag};
    ++node_;
    ++token_;
    return Made::scalar;
  }

  // The scan saw to it that only spaces lie between the closing quote and the next token.
  Made string(Role role) {
    const std::uint32_t begin = *token_;
    std::uint32_t stop = token_[1];
    while (is_space(text_[stop - 1])) --stop;
    if (stop - begin < 2 || text_[stop - 1] != '"') {
      refuse("string without an end", begin);
      return Made::nothing;
    }
    return scalar(begin, stop, JsonNode::tag(JsonKind::string, role));
  }

  Made number() {
    const std::uint32_t begin = *token_;
    const char* end = number_end(text_ + begin, text_ + token_[1]);
    if (end == nullptr || !ends_at(end)) {
      refuse("invalid number", begin);
      return Made::nothing;
    }
    return scalar(begin, static_cast<std::uint32_t>(end - text_),
                  JsonNode::tag(JsonKind::number, Role::value));
  }

  Made literal(std::string_view word, JsonKind kind) {
    const std::uint32_t begin = *token_;
    const auto length = static_cast<std::uint32_t>(word.size());
    const char* start = text_ + begin;
    if (token_[1] - begin < length || std::memcmp(start, word.data(), length) != 0 ||
        !ends_at(start + length)) {
      refuse("expected a value", begin);
      return Made::nothing;
    }
    return scalar(begin, begin + length, JsonNode::tag(kind, Role::value));
  }

  // True when the token that began before `end` does not go on there.
  bool ends_at(const char* end) const { return end == text_ + token_[1] || is_space(*end); }

  Made open(JsonKind kind) {
    if (depth_ == kJsonDepthMax) {
      refuse("nested too deeply", *token_);
      return Made::nothing;
    }
    stack_[depth_++] = open_;
    open_ = {node_, 0, kind == JsonKind::object};
    *node_ = {*token_, 0, 0, JsonNode::tag(kind, Role::value)};
    ++node_;
    ++token_;
    return Made::container;
  }

  void close() {
    *node_ = {*token_, *token_ + 1, 0, JsonNode::tag(JsonKind::null, Role::end)};
    ++node_;
    open_.node->stop = *token_ + 1;
    open_.node->after = index();
    open_.node->count_tag |= open_.count << 8;
    open_ = stack_[--depth_];
    ++token_;
  }

  std::uint32_t index() const { return static_cast<std::uint32_t>(node_ - tape_); }

  const char* const text_;
  const std::size_t size_;
  const std::uint32_t* token_;
  const std::uint32_t* const last_;
  JsonNode* const tape_;
  JsonNode* node_;
  Open open_{};
  std::uint32_t depth_ = 0;
  std::array<Open, kJsonDepthMax> stack_;
  JsonFault fault_{};
};

}  // namespace

std::optional<JsonFault> walk_json(std::string_view text, std::span<const std::uint32_t> tokens,
                                   JsonNode* tape) {
  Walk walk(text, tokens, tape);
  return walk.run();
}

}  // namespace nl::dialect
