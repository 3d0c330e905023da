// GgufKeys: the key and value pairs of a GGUF header, and what they say about the model.
//
// Reads them one by one, keeps the few that memory and trust depend on and passes over the rest
// without holding it (a tokenizer's lists are many megabytes). finish() turns them into facts, as
// the keys of the architecture may come in any order. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/gguf.h"
#include "engine/gguf_reader.h"

namespace nl::engine {

class GgufKeys {
 public:
  // One pair. Errors: config.
  Result<void> read(GgufReader& reader);
  // To be asked behind the last pair.
  std::uint64_t alignment() const { return alignment_; }
  // Fills in what the keys say. Errors: config (a required one is missing or senseless).
  Result<void> finish(GgufFacts& facts) const;

 private:
  Result<void> read_text(GgufReader& reader, const std::string& key, GgufType type);
  Result<void> read_array(GgufReader& reader, const std::string& key);
  struct ArrayShape {
    GgufType type;
    std::uint64_t count;
  };
  Result<void> keep_array(GgufReader& reader, const std::string& key, ArrayShape shape);
  Result<void> check_special(const std::string& key, GgufType type, std::int64_t value);
  // A whole number of the architecture within [1, most], or `missing` when there is none.
  Result<std::uint32_t> number(const std::string& key, std::uint32_t most,
                               std::uint32_t missing) const;
  Result<std::uint32_t> required(const std::string& key, std::uint32_t most) const;
  Result<void> read_projector(GgufFacts& facts) const;
  Result<void> read_sizes(GgufFacts& facts) const;
  Result<void> read_heads(GgufFacts& facts) const;
  Result<void> read_window(GgufFacts& facts) const;
  Result<void> refuse_other_kinds(GgufFacts& facts) const;
  std::string text(const std::string& key) const;

  std::uint64_t alignment_ = 32;
  std::unordered_set<std::string> seen_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::int64_t> numbers_;
  std::map<std::string, std::vector<std::int64_t>> arrays_;
  bool has_template_ = false;
  std::uint64_t vocabulary_ = 0;
};

}  // namespace nl::engine
