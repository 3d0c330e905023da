#include "app/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "config/toml.h"

namespace nl::app {
namespace {

class ScoreFile {
 public:
  explicit ScoreFile(const toml::table& root) : root_(root) {}

  Result<sheet::Scores> read() {
    const toml::array* benchmarks = root_["benchmark"].as_array();
    const toml::array* models = root_["model"].as_array();
    if (root_["format"].value_or(0) != 1 || benchmarks == nullptr || models == nullptr) {
      return fail(ErrorCode::config, "scores: no format 1 with benchmarks and models");
    }
    for (const toml::node& node : *benchmarks) {
      if (const toml::table* table = node.as_table()) read_benchmark(*table);
    }
    for (const toml::node& node : *models) {
      if (const toml::table* table = node.as_table()) read_model(*table);
    }
    if (!trouble_.empty()) return fail(ErrorCode::config, "scores: " + trouble_);
    add_notes();
    return std::move(scores_);
  }

 private:
  void complain(std::string text) {
    if (trouble_.empty()) trouble_ = std::move(text);
  }
  void read_benchmark(const toml::table& table) {
    ids_.push_back(table["id"].value_or(std::string()));
    scores_.benchmarks.push_back(
        {table["title"].value_or(std::string()), table["tells"].value_or(std::string())});
    if (ids_.back().empty() || scores_.benchmarks.back().title.empty()) {
      complain("a benchmark without an id or a title");
    }
  }
  void read_model(const toml::table& table) {
    sheet::ScoreLine line;
    line.title = table["title"].value_or(std::string());
    if (line.title.empty()) complain("a model without a title");
    for (const std::string& id : ids_) {
      const auto figure = table[id].value<double>();
      line.figures.push_back(figure ? fmt::format("{:.1f}", *figure) : std::string());
      if (figure) take_source(table, line.title, id);
      if (figure && (*figure < 0 || *figure > 100))
        complain(line.title + ": " + id + " is no score");
    }
    if (const toml::array* caveats = table["caveats"].as_array()) {
      for (const toml::node& caveat : *caveats) take_caveat(caveat.value_or(std::string()));
    }
    scores_.lines.push_back(std::move(line));
  }
  void take_source(const toml::table& table, const std::string& model, const std::string& id) {
    const toml::table* named = table["source"].as_table();
    const std::string source =
        named == nullptr ? std::string() : (*named)[id].value_or(std::string());
    if (!root_["sources"][source].is_string()) {
      complain(fmt::format("{}: {} has no source", model, id));
      return;
    }
    std::vector<std::string>& models = sources_[source];
    if (std::ranges::count(models, model) == 0) models.push_back(model);
  }
  void take_caveat(const std::string& id) {
    if (!root_["caveats"][id].is_string()) complain("no caveat is called " + id);
    if (std::ranges::count(caveats_, id) == 0) caveats_.push_back(id);
  }
  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }
  // Sources with the models that they stand for, then the caveats in the file's order.
  void add_notes() {
    std::string text;
    for (const auto& [id, models] : sources_) {
      text += fmt::format("{}{} ({})", text.empty() ? "Sources: " : "; ",
                          root_["sources"][id].value_or(std::string()), joined(models));
    }
    scores_.caveats.push_back(text + ".");
    text.clear();
    for (const std::string& id : caveats_) {
      text += (text.empty() ? "Beware: " : "; ") + root_["caveats"][id].value_or(std::string());
    }
    scores_.caveats.push_back(text + ".");
  }

  const toml::table& root_;
  sheet::Scores scores_;
  std::vector<std::string> ids_;
  std::map<std::string, std::vector<std::string>> sources_;
  std::vector<std::string> caveats_;
  std::string trouble_;
};

}  // namespace

Result<sheet::Scores> parse_scores(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(ErrorCode::config,
                fmt::format("scores: line {}: {}", parsed.error().source().begin.line,
                            parsed.error().description()));
  }
  return ScoreFile(parsed.table()).read();
}

sheet::Scores published_scores() {
  return parse_scores(kScoresText).value_or(sheet::Scores());
}

}  // namespace nl::app
