#include "models/model_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "dialect/json_writer.h"

namespace nl::models {
namespace {

using dialect::JsonWriter;

constexpr const char* kNothing =
    "No model is here yet: `nightlight pull` gets one that fits this machine.\n";

std::uint64_t bytes_of(const ModelRecord& record) {
  return record.model.bytes + (record.projector ? record.projector->bytes : 0);
}

std::string verdict_on(const engine::ModelStore& store, const ModelRecord& record) {
  return find_record(store, record.name) ? "usable" : "its files are gone: pull it again";
}

}  // namespace

ModelList model_list(const Environment& environment) {
  engine::ModelStore store = model_store(environment);
  auto records = read_records(store);
  const std::size_t foreign = foreign_manifests(store);
  return {std::move(store), std::move(records), foreign, OllamaStore(environment).models()};
}

std::string list_text(const ModelList& list) {
  std::string text;
  if (list.records.empty()) text += kNothing;
  std::size_t width = 0;
  for (const ModelRecord& record : list.records) width = std::max(width, record.name.size());
  for (const OllamaModel& model : list.ollama) width = std::max(width, model.name.size());
  for (const ModelRecord& record : list.records) {
    fmt::format_to(std::back_inserter(text), "{:<{}}  {:>9}  {}  {}{}\n", record.name, width,
                   size_text(bytes_of(record)), record.date.substr(0, 10),
                   verdict_on(list.store, record), record.projector ? ", reads images" : "");
  }
  if (list.foreign > 0) {
    fmt::format_to(
        std::back_inserter(text),
        "{} more in {}/manifests that this release does not understand: kept, not used\n",
        list.foreign, list.store.folder());
  }
  if (!list.ollama.empty()) text += "\nIn the Ollama store (read only):\n";
  for (const OllamaModel& model : list.ollama) {
    fmt::format_to(std::back_inserter(text), "{:<{}}  {:>9}  {}\n", model.name, width,
                   size_text(model.bytes), model.verdict);
  }
  return text;
}

std::string list_json(const ModelList& list) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().string("folder", list.store.folder()).key("models").begin_array();
  for (const ModelRecord& record : list.records) {
    writer.begin_object().string("name", record.name);
    writer.integer("size", static_cast<std::int64_t>(bytes_of(record)));
    writer.string("date", record.date).string("source", record.source);
    writer.boolean("images", record.projector.has_value());
    writer.string("state", verdict_on(list.store, record)).end_object();
  }
  writer.end_array().key("ollama").begin_array();
  for (const OllamaModel& model : list.ollama) {
    writer.begin_object().string("name", model.name).string("path", model.path);
    writer.integer("size", static_cast<std::int64_t>(model.bytes));
    writer.string("state", model.verdict).end_object();
  }
  writer.end_array().end_object();
  return text;
}

}  // namespace nl::models
