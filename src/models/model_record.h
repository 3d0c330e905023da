// ModelRecord: what the model store's manifest of one name says, and the store as this program uses
// it.
//
// The manifest is JSON of ours: name, source, date, and the blobs by digest. Reads files; a record
// that is not understood, or whose blobs are gone, does not count. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "engine/model_store.h"

namespace nl::models {

struct BlobRecord {
  std::string hex;  // 64 digits of its SHA-256
  std::uint64_t bytes = 0;
};

struct ModelRecord {
  std::string name;      // "gemma4:26b"
  std::string source;    // where it came from
  std::string date;      // when, in UTC: sorts as text
  bool verified = true;  // the source said the digest; otherwise it was only computed here
  BlobRecord model;
  std::optional<BlobRecord> projector;
};

// $NIGHTLIGHT_MODELS, else below XDG_DATA_HOME or ~/.local/share; empty when there is no place.
engine::ModelStore model_store(const Environment& environment);

std::string record_json(const ModelRecord& record);
// Errors: config.
Result<ModelRecord> parse_record(std::string_view json);

// Every record, the newest first.
std::vector<ModelRecord> read_records(const engine::ModelStore& store);
// The record of a name in any of its spellings, if its blobs are all there.
std::optional<ModelRecord> find_record(const engine::ModelStore& store, std::string_view name);
// The newest one whose blobs are all there.
std::optional<ModelRecord> newest_record(const engine::ModelStore& store);

// The digests that the store's manifests name. Those of a manifest that is not understood count as
// well, a newer release's for instance: what it needs must not be taken for litter.
std::set<std::string> needed_blobs(const engine::ModelStore& store);
// How many manifests are not understood.
std::size_t foreign_manifests(const engine::ModelStore& store);

// "14.4 GB".
std::string size_text(std::uint64_t bytes);

}  // namespace nl::models
