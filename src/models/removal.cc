#include "models/removal.h"

#include <fmt/format.h>

#include <utility>

#include "dialect/json_writer.h"
#include "engine/model_name.h"
#include "models/model_record.h"

namespace nl::models {

Result<Removal> remove_model(const engine::ModelStore& store, std::string_view name) {
  const auto lock = store.lock();
  if (!lock) return std::unexpected(lock.error());
  const auto parsed = engine::parse_model_name(name);
  if (!parsed) return std::unexpected(parsed.error());
  if (!store.remove_manifest(parsed->text())) {
    return fail(ErrorCode::config,
                fmt::format("{} is not here: `nightlight models` lists what is", parsed->text()));
  }
  const auto freed = store.remove_blobs_except(needed_blobs(store), engine::Unfinished::keep);
  return Removal{parsed->text(), freed};
}

Result<Removal> remove_unfinished(const engine::ModelStore& store) {
  const auto lock = store.lock();
  if (!lock) return std::unexpected(lock.error());
  const auto freed = store.remove_blobs_except(needed_blobs(store), engine::Unfinished::remove);
  return Removal{"unfinished pulls", freed};
}

std::string removal_text(const Removal& removal) {
  return fmt::format("Removed {}: {} are free again.", removal.removed,
                     size_text(removal.freed_bytes));
}

std::string removal_json(const Removal& removal) {
  std::string text;
  dialect::JsonWriter writer(text);
  writer.begin_object().string("removed", removal.removed);
  writer.integer("freed", static_cast<std::int64_t>(removal.freed_bytes)).end_object();
  return text;
}

}  // namespace nl::models
