// ModelFacts: what is known of one model, as data. Absent is "unknown", never zero.
//
// Made by provider/catalog.cc and by configuration; read by the planner (class, window, abilities)
// and by the ledger (prices). Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nl::chat {

enum class ModelClass : std::uint8_t { large, medium, small };
const char* name(ModelClass value);

// Money is integer micro-dollars; prices are micro-dollars per million tokens.
struct Price {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
};

struct ModelFacts {
  std::string name;
  ModelClass size = ModelClass::large;
  std::optional<std::int64_t> context_tokens;
  std::optional<std::int64_t> output_tokens_max;
  std::optional<Price> price;  // nothing = unpriced
  bool images = true;
  bool reasoning = false;       // may think long: the 300 s budgets
  bool fixed_sampling = false;  // refuses temperature, top_p, top_k
};

}  // namespace nl::chat
