// Document: a validated JSON text as a flat tape of raw tokens; nothing is copied or unescaped.
//
// parse() checks everything RFC 8259 asks for (UTF-8, escapes, numbers, structure, control
// characters) plus our limits: depth, tokens, and no two members of the top-level object whose
// *unescaped* names are equal. Afterwards every Value is a cheap view: its raw bytes, its kind, its
// members in order. The bytes handed to parse() must outlive the Document and every Value. A
// Document is cheap to make: its memory goes from one to the next of a thread. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "chat/text.h"

namespace nl::dialect {

inline constexpr std::uint32_t kJsonDepthMax = 128;
inline constexpr std::size_t kJsonBytesMax = 256 * 1024 * 1024;
// Brackets, commas, colons and values of one text: bounds the tape (16 bytes each).
inline constexpr std::size_t kJsonTokensMax = 8 * 1024 * 1024;
// Buffers larger than this are given back by clear() and by the next parse().
inline constexpr std::size_t kJsonKeptBytesMax = 8 * 1024 * 1024;

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };
enum class DuplicateKeys : std::uint8_t { refuse_top_level, allow };

class Document;

// One entry of the tape. A container is followed by what it holds (an object's entries alternate
// name, value) and by an `end`; another `end` closes the text.
struct JsonNode {
  enum class Role : std::uint8_t { value, name, end };

  std::uint32_t begin;      // first byte of the raw token
  std::uint32_t stop;       // one past its last byte
  std::uint32_t after;      // the entry behind this value and all it holds
  std::uint32_t count_tag;  // members or elements << 8 | kind << 4 | role

  static std::uint32_t tag(JsonKind kind, Role role) {
    return static_cast<std::uint32_t>(kind) << 4 | static_cast<std::uint32_t>(role);
  }
  JsonKind kind() const { return static_cast<JsonKind>(count_tag >> 4 & 0xf); }
  Role role() const { return static_cast<Role>(count_tag & 0xf); }
  std::uint32_t count() const { return count_tag >> 8; }
};

// A view of one value of a Document. A default Value is "absent": every read of it is empty.
class Value {
 public:
  Value() = default;

  bool exists() const { return document_ != nullptr; }
  explicit operator bool() const { return exists(); }
  JsonKind kind() const { return exists() ? node().kind() : JsonKind::null; }
  bool is_null() const { return exists() && kind() == JsonKind::null; }
  bool is_string() const { return exists() && kind() == JsonKind::string; }
  bool is_object() const { return exists() && kind() == JsonKind::object; }
  bool is_array() const { return exists() && kind() == JsonKind::array; }
  bool is_number() const { return exists() && kind() == JsonKind::number; }
  bool is_bool() const { return exists() && kind() == JsonKind::boolean; }

  // The whole value as it stood, quotes included; empty when absent.
  std::string_view raw() const;
  chat::JsonRaw json() const { return chat::JsonRaw{raw()}; }
  // The inside of a string, still escaped; empty for anything else.
  chat::JsonText text() const;
  // True when this is a string whose unescaped content equals `utf8`.
  bool equals(std::string_view utf8) const;
  // A whole number in range (1e3 and 5.0 count as whole), a double, a boolean; else nothing.
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;

  // The member of an object by unescaped name (the last one if repeated below the top level);
  // absent when there is none or this is no object.
  Value operator[](std::string_view name) const;

  // Members of an object or elements of an array, in order: for (Value v = first(); v; v =
  // v.next()).
  Value first() const;
  Value next() const;
  // The name of this value within its object, still escaped; empty inside an array.
  chat::JsonText key() const;
  // True when key(), unescaped, equals `utf8`.
  bool key_is(std::string_view utf8) const;
  // Number of members or elements.
  std::uint32_t size() const { return exists() ? node().count() : 0; }
  // Byte offset of raw() within the parsed text.
  std::size_t offset() const { return exists() ? node().begin : 0; }

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
  const JsonNode& node() const;
  Value at(std::uint32_t index) const;
  // The name in front of this value, or nullptr.
  const JsonNode* name_node() const;
  bool escaped(const JsonNode& token) const;
  bool token_equals(const JsonNode& token, std::string_view utf8) const;

  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

class Document {
 public:
  Document();
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // Parses and validates `text` whole. On failure the error says what and at which byte
  // (ErrorCode::bad_request, status 400) and the Document is empty.
  Result<void> parse(std::string_view text, DuplicateKeys duplicates = DuplicateKeys::allow);
  // Absent before a parse and after a failed one.
  Value root() const { return text_.data() == nullptr ? Value() : Value(this, 0); }
  // Forgets the text and gives its memory to the next Document.
  void clear();

 private:
  friend class Value;
  struct Impl;

  std::string_view text_;           // no data: nothing parsed
  const JsonNode* tape_ = nullptr;  // owned by impl_
  std::unique_ptr<Impl> impl_;
};

inline const JsonNode& Value::node() const {
  return document_->tape_[node_];
}

inline std::string_view Value::raw() const {
  if (!exists()) return {};
  const JsonNode& self = node();
  return document_->text_.substr(self.begin, self.stop - self.begin);
}

inline chat::JsonText Value::text() const {
  if (!is_string()) return {};
  const JsonNode& self = node();
  return {document_->text_.substr(self.begin + 1, self.stop - self.begin - 2)};
}

// The value at a tape position that may be a name (its value follows) or an end (no value).
inline Value Value::at(std::uint32_t index) const {
  switch (document_->tape_[index].role()) {
    case JsonNode::Role::value:
      return Value(document_, index);
    case JsonNode::Role::name:
      return Value(document_, index + 1);
    case JsonNode::Role::end:
      return {};
  }
  return {};
}

inline Value Value::first() const {
  return is_object() || is_array() ? at(node_ + 1) : Value();
}

inline Value Value::next() const {
  return exists() ? at(node().after) : Value();
}

}  // namespace nl::dialect
