// JsonWriter: JSON text appended to a string, commas put where they belong.
//
// For building bodies and events. Text that is already escaped is copied as it stands (text, raw);
// only string() escapes. The writer does not check that calls nest: tests parse what it makes. The
// string outlives the writer; several writers may append to one string one after another. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "chat/text.h"

namespace nl::dialect {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out), start_(out.size()) {}

  JsonWriter& begin_object() { return raw(chat::JsonRaw{"{"}); }
  JsonWriter& end_object() { return append('}'); }
  JsonWriter& begin_array() { return raw(chat::JsonRaw{"["}); }
  JsonWriter& end_array() { return append(']'); }

  // The name of the next member; `name` needs no escape.
  JsonWriter& key(std::string_view name);
  JsonWriter& key(chat::JsonText name) { return key(name.escaped); }

  JsonWriter& text(chat::JsonText value);     // a string, copied still escaped
  JsonWriter& string(std::string_view utf8);  // a string, escaped here
  JsonWriter& raw(chat::JsonRaw value);       // any value, copied
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);  // finite
  JsonWriter& boolean(bool value) { return raw(chat::JsonRaw{value ? "true" : "false"}); }
  JsonWriter& null() { return raw(chat::JsonRaw{"null"}); }
  // Whole members (`"a":1,"b":2`) for the open object; nothing when empty.
  JsonWriter& members(std::string_view raw_members);

  // key() and a value in one.
  JsonWriter& text(std::string_view name, chat::JsonText value) { return key(name).text(value); }
  JsonWriter& string(std::string_view name, std::string_view utf8) {
    return key(name).string(utf8);
  }
  JsonWriter& raw(std::string_view name, chat::JsonRaw value) { return key(name).raw(value); }
  JsonWriter& integer(std::string_view name, std::int64_t value) {
    return key(name).integer(value);
  }
  JsonWriter& number(std::string_view name, double value) { return key(name).number(value); }
  JsonWriter& boolean(std::string_view name, bool value) { return key(name).boolean(value); }
  // A member only when there is something to say.
  JsonWriter& raw_unless_empty(std::string_view name, chat::JsonRaw value) {
    return value.empty() ? *this : raw(name, value);
  }

 private:
  // False for the first thing of a text, an object, an array or behind a name.
  bool needs_comma() const;
  // A comma where one is needed and `bytes` bytes, which `fill` writes to where they belong.
  template <typename Fill>
  JsonWriter& put(std::size_t bytes, Fill fill);
  JsonWriter& append(char byte) {
    out_ += byte;
    return *this;
  }

  std::string& out_;
  std::size_t start_;
};

// Puts U+FFFD in place of every escape in the JSON text `json` that is half a surrogate pair:
// vendors refuse such a body. Returns `json` itself when there is none.
std::string repair_surrogates(std::string json);

}  // namespace nl::dialect
