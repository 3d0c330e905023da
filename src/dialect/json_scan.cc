#include "dialect/json_scan.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <string>

#include "dialect/json.h"

namespace nl::dialect {
namespace {

constexpr std::size_t kCapacityMin = 16 * 1024;
// Only simdjson's own second stage uses its depth.
constexpr std::size_t kUnusedDepth = 1;

// The first byte that breaks UTF-8: the longest valid prefix, found by halving.
std::size_t utf8_fault_at(std::string_view text) {
  std::size_t good = 0;
  std::size_t bad = text.size();
  while (bad - good > 4) {
    std::size_t middle = good + (bad - good) / 2;
    // A cut inside a sequence would look like a fault.
    while (middle > good && (static_cast<unsigned char>(text[middle]) & 0xc0) == 0x80) --middle;
    if (middle == good) break;
    if (simdjson::validate_utf8(text.data() + good, middle - good)) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  while (good < text.size() && static_cast<unsigned char>(text[good]) < 0x80) ++good;
  return good;
}

// Where the first control character inside a string stands, or the start of the string left open.
JsonFault string_fault(std::string_view text) {
  bool inside = false;
  std::size_t opened = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!inside) {
      if (c != '"') continue;
      inside = true;
      opened = i;
    } else if (c == '"') {
      inside = false;
    } else if (c == '\\' && i + 1 < text.size() && text[i + 1] >= ' ') {
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      return {"control character in a string", i};
    }
  }
  return {"string without an end", opened};
}

}  // namespace

struct JsonScan::Impl {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::size_t capacity = 0;
  std::size_t tokens = 0;
  // simdjson's code for processors without SIMD reads a little beyond the text: it gets a copy.
  bool reads_beyond = simdjson::get_active_implementation()->name() == "fallback";
  std::string padded;

  const std::uint8_t* readable(std::string_view text) {
    if (reads_beyond) {
      padded.assign(text);
      padded.append(simdjson::SIMDJSON_PADDING, ' ');
      text = padded;
    }
    return reinterpret_cast<const std::uint8_t*>(text.data());
  }

  bool reserve(std::size_t bytes) {
    if (stage && bytes <= capacity) return true;
    const std::size_t wanted = std::bit_ceil(std::max(bytes, kCapacityMin));
    const auto made = stage
                          ? stage->set_capacity(wanted)
                          : simdjson::get_active_implementation()->create_dom_parser_implementation(
                                wanted, kUnusedDepth, stage);
    capacity = made == simdjson::SUCCESS ? wanted : 0;
    return capacity != 0;
  }
};

JsonScan::JsonScan() : impl_(std::make_unique<Impl>()) {}
JsonScan::~JsonScan() = default;

std::optional<JsonFault> JsonScan::run(std::string_view text) {
  impl_->tokens = 0;
  if (text.empty()) return std::nullopt;
  if (!impl_->reserve(text.size())) return JsonFault{"no memory for a text of this size", 0};
  auto& stage = *impl_->stage;
  const auto code =
      stage.stage1(impl_->readable(text), text.size(), simdjson::stage1_mode::regular);
  if (code == simdjson::EMPTY) return std::nullopt;
  if (code == simdjson::UTF8_ERROR) return JsonFault{"invalid UTF-8", utf8_fault_at(text)};
  if (code == simdjson::UNESCAPED_CHARS || code == simdjson::UNCLOSED_STRING) {
    return string_fault(text);
  }
  if (code != simdjson::SUCCESS) return JsonFault{"unreadable text", 0};
  impl_->tokens = stage.n_structural_indexes;
  return std::nullopt;
}

std::span<const std::uint32_t> JsonScan::tokens() const {
  if (!impl_->stage) return {};
  return {impl_->stage->structural_indexes.get(), impl_->tokens};
}

void JsonScan::trim() {
  if (impl_->padded.capacity() > kJsonKeptBytesMax) impl_->padded = std::string();
  if (impl_->capacity * sizeof(std::uint32_t) <= kJsonKeptBytesMax) return;
  impl_->stage.reset();
  impl_->capacity = 0;
  impl_->tokens = 0;
}

}  // namespace nl::dialect
