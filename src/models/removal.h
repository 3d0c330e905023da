// Removal: takes a name, or what unfinished pulls left, out of the model store.
//
// A blob goes with the last name that needs it. Holds the store's lock meanwhile; only ever our own
// store. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model_store.h"

namespace nl::models {

struct Removal {
  std::string removed;  // the name as the store spells it, or "unfinished pulls"
  std::uint64_t freed_bytes = 0;
};

// Errors: config (no name, or not here), io (another pull holds the store).
Result<Removal> remove_model(const engine::ModelStore& store, std::string_view name);
Result<Removal> remove_unfinished(const engine::ModelStore& store);

// "Removed gemma4:e2b: 3.2 GB are free again."
std::string removal_text(const Removal& removal);
std::string removal_json(const Removal& removal);

}  // namespace nl::models
