// JsonScan: where the tokens of a JSON text begin, found 64 bytes at a time by simdjson's stage 1.
//
// It refuses invalid UTF-8, control characters inside strings and a string that never ends; grammar
// is the walk's business (json_walk.h). A token is a bracket, a comma, a colon, or the first byte
// of a string or of any run of other bytes. The only place that knows simdjson. Reads no byte
// beyond the text. One thread; reuse it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "dialect/json_fault.h"

namespace nl::dialect {

class JsonScan {
 public:
  JsonScan();
  ~JsonScan();
  JsonScan(const JsonScan&) = delete;
  JsonScan& operator=(const JsonScan&) = delete;

  // `text` must be shorter than kJsonBytesMax. An empty or blank text is no fault: it has no
  // tokens.
  std::optional<JsonFault> run(std::string_view text);
  // Offsets of the tokens in order. The entry behind the last one is readable and is the text's
  // size.
  std::span<const std::uint32_t> tokens() const;
  // Gives the token buffer back if it is larger than kJsonKeptBytesMax.
  void trim();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nl::dialect
