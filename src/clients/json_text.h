// JsonText: where the parts of a JSON text stand, comments and trailing commas allowed.
//
// For editing in place: every value and every member knows its first and last byte, and nothing is
// converted. It also reads the records that this room writes itself. Pure; views the text it was
// read from. Refuses, with the line, what is no JSON, and nesting of more than 200.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::clients {

struct JsonMember;

struct JsonNode {
  enum class Kind : std::uint8_t { object, array, text, other };
  Kind kind = Kind::other;
  std::size_t start = 0;
  std::size_t end = 0;  // behind its last byte
  std::vector<JsonMember> members;
  std::vector<JsonNode> items;
};

struct JsonMember {
  std::string name;       // unescaped
  std::size_t start = 0;  // of the name's quote
  JsonNode value;
};

class JsonText {
 public:
  // Errors: config, "line N: what".
  static Result<JsonText> read(std::string_view text);

  // Null when there is nothing but blanks and comments.
  const JsonNode* root() const { return root_ ? &*root_ : nullptr; }
  // The last member of that name, as JSON has it; null when it or an object before it is missing.
  const JsonMember* member(std::span<const std::string> path) const;
  // The object that holds the member at `path`; null when there is none.
  const JsonNode* object(std::span<const std::string> path) const;
  std::string_view raw(const JsonNode& node) const {
    return text_.substr(node.start, node.end - node.start);
  }
  // A text value without its quotes and escapes; empty for anything else.
  std::string text_of(const JsonNode& node) const;
  // The first byte at or after `at` that is neither blank nor in a comment.
  std::size_t skip(std::size_t at) const;

 private:
  std::string_view text_;
  std::optional<JsonNode> root_;
};

const JsonMember* member_named(const JsonNode& object, std::string_view name);

// `text` as a JSON string, quotes included.
std::string json_quoted(std::string_view text);

}  // namespace nl::clients
