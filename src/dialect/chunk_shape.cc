#include "dialect/chunk_shape.h"

#include <simdjson.h>

#include <functional>

namespace nl::dialect {
namespace {

// Whether `words` may stand between two quotes.
bool is_inside_of_string(std::string_view words) {
  bool ascii = true;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto byte = static_cast<unsigned char>(words[at]);
    if (byte < 0x20 || byte == '"') return false;
    if (byte >= 0x80) ascii = false;
    if (byte != '\\') continue;
    ++at;
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    if (at == words.size() || kEscapes.find(words[at]) == std::string_view::npos) return false;
  }
  return ascii || simdjson::validate_utf8(words.data(), words.size());
}

}  // namespace

std::optional<std::string_view> ChunkShape::words_of(std::string_view data) const {
  if (!known_ || data.size() <= before_.size() + after_.size()) return std::nullopt;
  if (!data.starts_with(before_) || !data.ends_with(after_)) return std::nullopt;
  data.remove_prefix(before_.size());
  data.remove_suffix(after_.size());
  return is_inside_of_string(data) ? std::optional(data) : std::nullopt;
}

void ChunkShape::remember(std::string_view data, std::string_view words) {
  const auto begin = static_cast<std::size_t>(words.data() - data.data());
  before_ = data.substr(0, begin);
  after_ = data.substr(begin + words.size());
  known_ = true;
}

void OnlyWords::on_event(const chat::Event& event) {
  using chat::DeltaKind;
  ++events_;
  words_ = {};
  if (event.kind == chat::EventKind::delta && event.delta == DeltaKind::text) {
    words_ = event.text.escaped;
    kind_ = chat::BlockKind::text;
  } else if (event.kind == chat::EventKind::delta && event.delta == DeltaKind::thinking) {
    words_ = event.text.escaped;
    kind_ = chat::BlockKind::thinking;
  }
  sink_.on_event(event);
}

bool OnlyWords::words_in(std::string_view data) const {
  if (events_ != 1 || words_.empty()) return false;
  const std::less_equal<const char*> not_behind;
  return not_behind(data.data(), words_.data()) &&
         not_behind(words_.data() + words_.size(), data.data() + data.size());
}

}  // namespace nl::dialect
