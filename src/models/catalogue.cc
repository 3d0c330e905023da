#include "models/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/toml.h"

namespace nl::models {
namespace {

using engine::CatalogueFile;
using engine::CatalogueModel;

constexpr std::int64_t kMost = 1'000'000'000'000;

// One table of the file; remembers the first thing that is wrong with it.
class Entry {
 public:
  Entry(const toml::table& table, const toml::table& sources, std::string place)
      : table_(table), sources_(sources), place_(std::move(place)) {}

  std::uint64_t number(std::string_view key, std::int64_t least) {
    const auto value = table_[key].value<std::int64_t>();
    if (!value || *value < least || *value > kMost) complain(key, "is no number in range");
    return static_cast<std::uint64_t>(value.value_or(0));
  }
  std::uint32_t small(std::string_view key, std::int64_t least) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(number(key, least), 1U << 30U));
  }
  double share(std::string_view key) {
    const auto value = table_[key].value<double>();
    if (!value || *value < 0 || *value >= 1) complain(key, "is no share");
    return value.value_or(0);
  }
  std::string text(std::string_view key) {
    const auto value = table_[key].value<std::string>();
    if (!value) complain(key, "is no text");
    return value.value_or("");
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> found;
    if (const toml::array* list = table_[key].as_array()) {
      for (const toml::node& item : *list) found.push_back(item.value_or(std::string()));
    }
    if (found.empty()) complain(key, "is no list of words");
    return found;
  }
  // Every figure of `keys` has a source that the file explains.
  void need_sources(std::initializer_list<std::string_view> keys) {
    const toml::table* named = table_["source"].as_table();
    for (const std::string_view key : keys) {
      const auto source = named == nullptr ? std::nullopt : (*named)[key].value<std::string>();
      if (!source || !sources_.contains(*source)) complain(key, "has no source");
    }
  }
  bool is_verified(std::string_view key) const {
    const toml::array* list = table_["unverified"].as_array();
    if (list == nullptr) return true;
    return std::none_of(list->begin(), list->end(), [key](const toml::node& item) {
      return item.value_or(std::string()) == key;
    });
  }
  Result<void> verdict() const {
    if (trouble_.empty()) return {};
    return fail(ErrorCode::config, trouble_);
  }

 private:
  void complain(std::string_view key, std::string_view what) {
    if (trouble_.empty()) trouble_ = fmt::format("catalogue: {}: {} {}", place_, key, what);
  }

  const toml::table& table_;
  const toml::table& sources_;
  std::string place_;
  std::string trouble_;
};

Result<CatalogueFile> read_file(Entry entry) {
  CatalogueFile file;
  file.quant = entry.text("quant");
  file.pull = entry.text("pull");
  file.bytes = entry.number("bytes", 1'000'000);
  file.active_bytes = entry.number("active_bytes", 1'000'000);
  file.digest = entry.text("sha256");
  file.verified = entry.is_verified("pull") && entry.is_verified("bytes");
  entry.need_sources({"bytes", "active_bytes"});
  if (!file.pull.empty()) entry.need_sources({"pull"});
  const auto verdict = entry.verdict();
  if (!verdict) return std::unexpected(verdict.error());
  return file;
}

void read_shape(Entry& entry, CatalogueModel& model) {
  engine::GgufFacts& shape = model.shape;
  shape.architecture = "gemma4";
  shape.context_length = entry.small("context", 8192);
  shape.block_count = std::min(entry.small("layers", 1), engine::kBlocksMax);
  const std::uint32_t own = std::min(entry.small("own_kv_layers", 1), shape.block_count);
  shape.shared_kv_layers = shape.block_count - own;
  const std::uint32_t every = std::max(entry.small("full_every", 1), 1U);
  shape.sliding_window = entry.small("window", 1);
  shape.embedding_length = entry.small("embedding", 1);
  shape.head_count = entry.small("heads", 1);
  shape.key_length = shape.value_length = entry.small("head_length_full", 1);
  shape.window_key_length = shape.window_value_length = entry.small("head_length_window", 1);
  shape.experts = entry.small("experts", 0);
  shape.experts_used = entry.small("experts_used", 0);
  const std::uint32_t full_heads = entry.small("kv_heads_full", 1);
  const std::uint32_t window_heads = entry.small("kv_heads_window", 1);
  for (std::uint32_t layer = 0; layer < shape.block_count; ++layer) {
    const bool full = (layer + 1) % every == 0;
    shape.window_layers.push_back(full ? 0 : 1);
    shape.kv_heads.push_back(full ? full_heads : window_heads);
  }
}

Result<CatalogueModel> read_model(const toml::table& table, const toml::table& sources) {
  CatalogueModel model;
  model.id = table["id"].value_or(std::string());
  Entry entry(table, sources, model.id.empty() ? "a model without an id" : model.id);
  model.title = entry.text("title");
  model.parameters = entry.number("parameters", 1);
  model.active_parameters = entry.number("active_parameters", 1);
  model.lookup_bytes_q4 = entry.number("lookup_bytes", 0);
  model.expert_share = entry.share("expert_share");
  model.projector_bytes = entry.number("projector_bytes", 0);
  model.inputs = entry.texts("inputs");
  model.tools = entry.text("tools");
  model.quality = entry.text("quality");
  read_shape(entry, model);
  entry.need_sources({"shape", "parameters", "context", "projector_bytes", "quality"});
  const auto verdict = entry.verdict();
  if (!verdict) return std::unexpected(verdict.error());
  const toml::array* files = table["file"].as_array();
  for (std::size_t i = 0; files != nullptr && i < files->size(); ++i) {
    const toml::table* one = (*files)[i].as_table();
    if (one == nullptr) continue;
    auto file = read_file(Entry(*one, sources, fmt::format("{}, file {}", model.id, i + 1)));
    if (!file) return std::unexpected(std::move(file.error()));
    model.files.push_back(std::move(*file));
  }
  if (model.files.empty()) return fail(ErrorCode::config, "catalogue: " + model.id + ": no file");
  return model;
}

}  // namespace

Result<engine::Catalogue> parse_catalogue(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(ErrorCode::config,
                fmt::format("catalogue: line {}: {}", parsed.error().source().begin.line,
                            parsed.error().description()));
  }
  const toml::table& root = parsed.table();
  const toml::table* sources = root["sources"].as_table();
  const toml::array* models = root["model"].as_array();
  if (root["format"].value_or(0) != 1 || sources == nullptr || models == nullptr) {
    return fail(ErrorCode::config, "catalogue: no format 1 with sources and models");
  }
  engine::Catalogue catalogue;
  for (const toml::node& node : *models) {
    const toml::table* table = node.as_table();
    if (table == nullptr) continue;
    auto model = read_model(*table, *sources);
    if (!model) return std::unexpected(std::move(model.error()));
    catalogue.models.push_back(std::move(*model));
  }
  return catalogue;
}

engine::Catalogue catalogue() {
  return parse_catalogue(kCatalogueText).value_or(engine::Catalogue());
}

}  // namespace nl::models
