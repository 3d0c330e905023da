#include <string>

#include "app/cheatsheet_facts.h"
#include "dialect/json_writer.h"

namespace nl::app {
namespace {

using dialect::JsonWriter;
using sheet::SheetFacts;

std::int64_t whole(double value) {
  return static_cast<std::int64_t>(value + 0.5);
}

const char* name_of(sheet::Standing standing) {
  switch (standing) {
    case sheet::Standing::pick:
      return "pick";
    case sheet::Standing::fits:
      return "fits";
    case sheet::Standing::slow:
      return "hindered";
    case sheet::Standing::absent:
      return "does_not_fit";
  }
  return "";
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& items) {
  json.key(name).begin_array();
  for (const std::string& item : items) json.string(item);
  json.end_array();
}

void write_sizes(JsonWriter& json, const SheetFacts& facts) {
  json.key("sizes").begin_array();
  for (const sheet::SizeLine& size : facts.sizes) {
    json.begin_object().string("id", size.id).string("title", size.title);
    json.string("quant", size.quant).string("pull", size.pull);
    json.string("standing", name_of(size.standing)).string("verdict", size.verdict);
    json.integer("needs", static_cast<std::int64_t>(size.needs_bytes));
    json.integer("nominal", size.nominal).boolean("on_disk", size.on_disk);
    if (size.window > 0) {
      json.integer("window", size.window).integer("slots", size.slots);
      json.string("place", size.place).boolean("images", size.takes_images);
      json.integer("reads", whole(size.reads)).number("writes", size.writes);
      json.boolean("measured", size.rates == sheet::Known::measured);
      json.integer("warm", size.warm).string("note", size.note);
    }
    json.end_object();
  }
  json.end_array().key("needs").begin_array();
  for (const sheet::NeedLine& need : facts.needs) {
    json.begin_object().string("title", need.title);
    json.integer("file", static_cast<std::int64_t>(need.file_bytes));
    json.integer("memory_gb", need.memory_gb).integer("unified_gb", need.unified_gb);
    json.integer("gpu_gb", need.gpu_gb).integer("speed_gb_per_s", whole(need.speed_gb));
    write_list(json, "inputs", need.inputs);
    json.string("tools", need.tools).end_object();
  }
  json.end_array();
}

void write_scores(JsonWriter& json, const sheet::Scores& scores) {
  json.key("scores").begin_object().key("models").begin_array();
  for (const sheet::ScoreLine& line : scores.lines) {
    json.begin_object().string("model", line.title).key("figures").begin_array();
    for (std::size_t i = 0; i < scores.benchmarks.size(); ++i) {
      if (i >= line.figures.size() || line.figures[i].empty()) continue;
      json.begin_object().string("benchmark", scores.benchmarks[i].title);
      json.string("figure", line.figures[i]).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  write_list(json, "caveats", scores.caveats);
  json.end_object();
}

void write_use(JsonWriter& json, const SheetFacts& facts) {
  json.key("tiers").begin_array();
  for (const sheet::TierLine& tier : facts.tiers) {
    json.begin_object().integer("number", tier.number).string("tier", tier.name);
    json.string("answers", tier.answers).string("uses", tier.uses).end_object();
  }
  json.end_array().key("now").begin_array();
  for (const sheet::NowLine& line : facts.now) {
    json.begin_object().string("what", line.what).string("state", line.state).end_object();
  }
  json.end_array().key("tasks").begin_array();
  for (const sheet::TaskLine& task : facts.tasks) {
    json.begin_object().string("task", task.name).string("readiness", task.readiness);
    json.string("model", task.model).string("date", task.date).end_object();
  }
  json.end_array().key("bus_factor").begin_array();
  for (const sheet::HourLine& hour : facts.bus_factor) {
    json.begin_object().string("what", hour.what);
    write_list(json, "left", hour.left);
    write_list(json, "lost", hour.lost);
    json.end_object();
  }
  json.end_array().key("commands").begin_array();
  for (const sheet::CommandLine& line : facts.commands) {
    json.begin_object().string("command", line.words).string("does", line.does).end_object();
  }
  json.end_array();
}

}  // namespace

std::string sheet_json(const SheetFacts& facts) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().string("version", facts.version).string("date", facts.date);
  write_list(json, "about", facts.about);
  json.string("hold", facts.hold);
  write_sizes(json, facts);
  write_scores(json, facts.scores);
  write_use(json, facts);
  json.end_object();
  return text + "\n";
}

}  // namespace nl::app
