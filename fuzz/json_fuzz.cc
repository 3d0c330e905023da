// Document against simdjson's DOM: whatever one of them accepts the other must, but for depth,
// numbers out of range and lone surrogates. Every view of an accepted text lies inside it and is
// itself valid.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "chat/text.h"
#include "dialect/json.h"

namespace {

using nl::dialect::Document;
using nl::dialect::DuplicateKeys;
using nl::dialect::Value;

void expect(bool holds) {
  if (!holds) std::abort();
}

struct Seen {
  std::uint32_t values = 0;
  bool beyond_the_dom = false;
};

bool has_unicode_escape(nl::chat::JsonText text) {
  return text.escaped.find("\\u") != std::string_view::npos;
}

// Reads all there is to read of a value and of what it holds.
void visit(Value value, std::string_view text, Seen& seen) {
  ++seen.values;
  const std::string_view raw = value.raw();
  expect(!raw.empty() && raw.data() == text.data() + value.offset());
  expect(value.offset() + raw.size() <= text.size());
  if (value.is_number()) {
    seen.beyond_the_dom |= raw.size() >= 19 || !value.number();
    if (const auto whole = value.integer()) {
      const double nearest = static_cast<double>(*whole);
      expect(value.number() == nearest);
    }
  }
  seen.beyond_the_dom |= has_unicode_escape(value.text()) || has_unicode_escape(value.key());
  if (value.is_string()) expect(value.equals(value.text().utf8()));
  std::uint32_t count = 0;
  for (Value v = value.first(); v; v = v.next()) {
    ++count;
    if (value.is_object()) {
      const std::string name = v.key().utf8();
      expect(v.key_is(name));
      // Not for each of very many: finding one is a search.
      if (count <= 32) expect(value[name].exists());
    }
    visit(v, text, seen);
  }
  expect(count == value.size());
}

std::size_t depth(std::string_view text) {
  std::size_t most = 0;
  std::size_t now = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inside = !inside;
    else if (!inside && (text[i] == '[' || text[i] == '{'))
      most = std::max(most, ++now);
    else if (!inside && (text[i] == ']' || text[i] == '}'))
      now -= now > 0 ? 1 : 0;
  }
  return most;
}

void round_trip(std::string_view bytes) {
  const std::string escaped = nl::chat::escape(bytes);
  const std::string once = nl::chat::JsonText{escaped}.utf8();
  expect(nl::chat::escape(once) == escaped);
  if (simdjson::validate_utf8(bytes.data(), bytes.size())) expect(once == bytes);
  (void)nl::chat::JsonText{bytes}.utf8();
  Document document;
  const std::string quoted = "\"" + escaped + "\"";
  expect(document.parse(quoted).has_value() && document.root().equals(once));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Document document;
  static simdjson::dom::parser parser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool ours = document.parse(text).has_value();
  expect(document.root().exists() == ours);
  Seen seen;
  if (ours) visit(document.root(), text, seen);

  simdjson::dom::element root;
  const auto code = parser.parse(text.data(), text.size()).get(root);
  if (code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR) {
    expect(!ours || seen.beyond_the_dom);
  } else if (depth(text) <= nl::dialect::kJsonDepthMax) {
    expect(ours == (code == simdjson::SUCCESS));
  } else {
    expect(!ours);
  }
  const bool strict = document.parse(text, DuplicateKeys::refuse_top_level).has_value();
  expect(ours || !strict);
  round_trip(text);
  return 0;
}
