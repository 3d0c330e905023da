// JsonText and JsonRaw: text carried as it stood on the wire.
//
// JsonText is the inside of a JSON string, still escaped and without its quotes; JsonRaw is any
// whole JSON value. Both are views: whoever made them says how long the bytes live (a request's
// views live as long as its body and arena; an event's die at the next read). Text goes from one
// dialect to the other without being unescaped; classification and checks ask for utf8().
#pragma once

#include <string>
#include <string_view>

namespace nl::chat {

struct JsonText {
  std::string_view escaped;

  bool empty() const { return escaped.empty(); }
  // True when no escape occurs, so that `escaped` is the text itself.
  bool plain() const { return escaped.find('\\') == std::string_view::npos; }
  // The text with escapes resolved. A lone surrogate becomes U+FFFD.
  std::string utf8() const;
};

struct JsonRaw {
  std::string_view json;

  bool empty() const { return json.empty(); }
};

// Appends `utf8` to `out` escaped for a JSON string (no quotes). Invalid UTF-8 becomes U+FFFD.
void append_escaped(std::string& out, std::string_view utf8);

// `utf8` escaped for the inside of a JSON string.
std::string escape(std::string_view utf8);

}  // namespace nl::chat
