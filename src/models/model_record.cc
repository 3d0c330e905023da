#include "models/model_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "engine/model_name.h"

namespace nl::models {
namespace {

void write_blob(dialect::JsonWriter& writer, std::string_view name, const BlobRecord& blob) {
  writer.key(name).begin_object();
  writer.string("digest", "sha256:" + blob.hex);
  writer.integer("size", static_cast<std::int64_t>(blob.bytes));
  writer.end_object();
}

Result<BlobRecord> read_blob(dialect::Value value) {
  auto hex = engine::parse_digest(value["digest"].text().utf8());
  const auto size = value["size"].integer();
  if (!hex) return std::unexpected(hex.error());
  if (!size || *size <= 0) return fail(ErrorCode::config, "a blob without a size");
  return BlobRecord{std::move(*hex), static_cast<std::uint64_t>(*size)};
}

bool is_whole(const engine::ModelStore& store, const ModelRecord& record) {
  return store.has_blob(record.model.hex, record.model.bytes) &&
         (!record.projector || store.has_blob(record.projector->hex, record.projector->bytes));
}

}  // namespace

engine::ModelStore model_store(const Environment& environment) {
  const std::string named = environment.text("NIGHTLIGHT_MODELS");
  if (named.starts_with('/')) return engine::ModelStore(named);
  const std::string data = environment.text("XDG_DATA_HOME");
  if (data.starts_with('/')) return engine::ModelStore(data + "/nightlight/models");
  const std::string home = environment.text("HOME");
  return engine::ModelStore(home.starts_with('/') ? home + "/.local/share/nightlight/models"
                                                  : std::string());
}

std::string record_json(const ModelRecord& record) {
  std::string text;
  dialect::JsonWriter writer(text);
  writer.begin_object();
  writer.integer("format", 1);
  writer.string("name", record.name).string("source", record.source).string("date", record.date);
  writer.boolean("verified", record.verified);
  write_blob(writer, "model", record.model);
  if (record.projector) write_blob(writer, "projector", *record.projector);
  writer.end_object();
  return text + "\n";
}

Result<ModelRecord> parse_record(std::string_view json) {
  dialect::Document document;
  const auto parsed = document.parse(json);
  if (!parsed) return fail(ErrorCode::config, parsed.error().message);
  const dialect::Value root = document.root();
  if (root["format"].integer() != 1) return fail(ErrorCode::config, "a manifest of another format");
  ModelRecord record;
  record.name = root["name"].text().utf8();
  const auto name = engine::parse_model_name(record.name);
  if (!name) return std::unexpected(name.error());
  record.source = root["source"].text().utf8();
  record.date = root["date"].text().utf8();
  record.verified = root["verified"].boolean().value_or(false);
  auto model = read_blob(root["model"]);
  if (!model) return std::unexpected(model.error());
  record.model = std::move(*model);
  if (root["projector"]) {
    auto projector = read_blob(root["projector"]);
    if (!projector) return std::unexpected(projector.error());
    record.projector = std::move(*projector);
  }
  return record;
}

std::vector<ModelRecord> read_records(const engine::ModelStore& store) {
  std::vector<ModelRecord> records;
  for (const std::string& text : store.manifests()) {
    auto record = parse_record(text);
    if (record) records.push_back(std::move(*record));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const ModelRecord& a, const ModelRecord& b) { return a.date > b.date; });
  return records;
}

std::optional<ModelRecord> find_record(const engine::ModelStore& store, std::string_view name) {
  const auto parsed = engine::parse_model_name(name);
  if (!parsed) return std::nullopt;
  for (ModelRecord& record : read_records(store)) {
    if (record.name == parsed->text() && is_whole(store, record)) return std::move(record);
  }
  return std::nullopt;
}

std::optional<ModelRecord> newest_record(const engine::ModelStore& store) {
  for (ModelRecord& record : read_records(store)) {
    if (is_whole(store, record)) return std::move(record);
  }
  return std::nullopt;
}

std::set<std::string> needed_blobs(const engine::ModelStore& store) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::set<std::string> needed;
  for (const std::string& manifest : store.manifests()) {
    const std::string_view text = manifest;
    for (std::size_t at = text.find_first_of(kHex); at != text.npos;) {
      const std::size_t end = std::min(text.find_first_not_of(kHex, at), text.size());
      const std::string_view run = text.substr(at, end - at);
      if (engine::is_sha256(run)) needed.emplace(run);
      at = text.find_first_of(kHex, end);
    }
  }
  return needed;
}

std::size_t foreign_manifests(const engine::ModelStore& store) {
  return static_cast<std::size_t>(std::ranges::count_if(
      store.manifests(), [](const std::string& text) { return !parse_record(text); }));
}

std::string size_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return fmt::format("{:.1f} GB", size / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", size / 1e6);
  return fmt::format("{:.1f} KB", size / 1e3);
}

}  // namespace nl::models
