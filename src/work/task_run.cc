#include "work/task_run.h"

#include <charconv>

#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "http/digest.h"
#include "work/task.h"

namespace nl::work {
namespace {

using dialect::JsonWriter;
using dialect::Value;

const char* name(Better better) {
  switch (better) {
    case Better::local:
      return "local";
    case Better::cloud:
      return "cloud";
    case Better::same:
      return "same";
  }
  return "same";
}

void write_opinion(JsonWriter& json, const std::optional<Opinion>& opinion) {
  if (!opinion) {
    json.null();
    return;
  }
  json.begin_object()
      .string("better", name(opinion->better))
      .boolean("local_ok", opinion->local_ok)
      .boolean("cloud_ok", opinion->cloud_ok)
      .end_object();
}

void write_figures(JsonWriter& json, const std::optional<Figures>& figures) {
  if (!figures) {
    json.null();
    return;
  }
  json.begin_object()
      .string("tier", figures->tier)
      .string("provider", figures->provider)
      .string("model", figures->model)
      .string("outcome", figures->outcome)
      .string("reason", figures->reason)
      .integer("duration_ms", figures->duration_ms)
      .integer("first_ms", figures->first_ms)
      .integer("input_tokens", figures->input_tokens)
      .integer("output_tokens", figures->output_tokens)
      .integer("cost_micro_usd", figures->cost_micro_usd)
      .boolean("estimated", figures->estimated)
      .end_object();
}

void write_leg(JsonWriter& json, const Leg& leg) {
  json.begin_object()
      .string("request_id", leg.request_id)
      .string("answer", leg.answer)
      .string("trouble", leg.trouble)
      .string("note", leg.note);
  json.key("ledger");
  write_figures(json, leg.figures);
  json.end_object();
}

void write_entry(JsonWriter& json, const Entry& entry) {
  json.begin_object()
      .string("task", entry.task)
      .string("label", entry.label)
      .string("mark", entry.mark)
      .integer("example", entry.example)
      .integer("of", entry.of)
      .string("title", entry.title)
      .string("prompt", entry.prompt)
      .string("first", name(entry.first));
  json.key("local");
  write_leg(json, entry.local);
  json.key("cloud");
  write_leg(json, entry.cloud);
  json.key("user");
  write_opinion(json, entry.user);
  json.string("judge", entry.judge);
  json.key("readings").begin_array();
  for (const Reading& reading : entry.readings) {
    json.begin_object().string("first", name(reading.first)).key("leg");
    write_leg(json, reading.leg);
    json.key("says");
    write_opinion(json, reading.says);
    json.string("why", reading.why).end_object();
  }
  json.end_array().key("judged");
  write_opinion(json, entry.judged);
  json.end_object();
}

Side side_of(Value value) {
  return value.equals("cloud") ? Side::cloud : Side::local;
}

std::optional<Opinion> opinion_of(Value value) {
  if (!value.is_object()) return std::nullopt;
  Opinion opinion;
  opinion.better = value["better"].equals("local")   ? Better::local
                   : value["better"].equals("cloud") ? Better::cloud
                                                     : Better::same;
  opinion.local_ok = value["local_ok"].boolean().value_or(false);
  opinion.cloud_ok = value["cloud_ok"].boolean().value_or(false);
  return opinion;
}

std::optional<Figures> figures_of(Value value) {
  if (!value.is_object()) return std::nullopt;
  const auto number = [&](std::string_view key) { return value[key].integer().value_or(-1); };
  Figures figures;
  figures.tier = value["tier"].text().utf8();
  figures.provider = value["provider"].text().utf8();
  figures.model = value["model"].text().utf8();
  figures.outcome = value["outcome"].text().utf8();
  figures.reason = value["reason"].text().utf8();
  figures.duration_ms = number("duration_ms");
  figures.first_ms = number("first_ms");
  figures.input_tokens = number("input_tokens");
  figures.output_tokens = number("output_tokens");
  figures.cost_micro_usd = number("cost_micro_usd");
  figures.estimated = value["estimated"].boolean().value_or(false);
  return figures;
}

Leg leg_of(Value value) {
  Leg leg;
  leg.request_id = value["request_id"].text().utf8();
  leg.answer = value["answer"].text().utf8();
  leg.trouble = value["trouble"].text().utf8();
  leg.note = value["note"].text().utf8();
  leg.figures = figures_of(value["ledger"]);
  return leg;
}

Entry entry_of(Value value) {
  Entry entry;
  entry.task = value["task"].text().utf8();
  entry.label = value["label"].text().utf8();
  entry.mark = value["mark"].text().utf8();
  entry.example = static_cast<int>(value["example"].integer().value_or(1));
  entry.of = static_cast<int>(value["of"].integer().value_or(0));
  entry.title = value["title"].text().utf8();
  entry.prompt = value["prompt"].text().utf8();
  entry.first = side_of(value["first"]);
  entry.local = leg_of(value["local"]);
  entry.cloud = leg_of(value["cloud"]);
  entry.user = opinion_of(value["user"]);
  entry.judge = value["judge"].text().utf8();
  for (Value item = value["readings"].first(); item; item = item.next()) {
    Reading reading;
    reading.first = side_of(item["first"]);
    reading.leg = leg_of(item["leg"]);
    reading.says = opinion_of(item["says"]);
    reading.why = item["why"].text().utf8();
    entry.readings.push_back(std::move(reading));
  }
  entry.judged = opinion_of(value["judged"]);
  return entry;
}

// A seed has 64 bits, and JSON's numbers are not safe beyond 53.
std::uint64_t seed_of(Value value) {
  const std::string text = value.text().utf8();
  std::uint64_t seed = 0;
  std::from_chars(text.data(), text.data() + text.size(), seed);
  return seed;
}

}  // namespace

const char* name(Side side) {
  switch (side) {
    case Side::local:
      return "local";
    case Side::cloud:
      return "cloud";
  }
  return "local";
}

std::string run_members(const TaskRun& run) {
  std::string text;
  JsonWriter json(text);
  json.string("id", run.id)
      .integer("started_unix_ms", run.started_unix_ms)
      .string("seed", std::to_string(run.seed));
  json.key("entries").begin_array();
  for (const Entry& entry : run.entries) write_entry(json, entry);
  json.end_array();
  return text;
}

std::string run_json(const TaskRun& run) {
  return indented("{" + run_members(run) + "}");
}

Result<TaskRun> parse_run(std::string_view json) {
  dialect::Document document;
  if (const auto read = document.parse(json); !read) {
    return fail(ErrorCode::config, read.error().message);
  }
  const Value root = document.root();
  TaskRun run;
  run.id = root["id"].text().utf8();
  run.started_unix_ms = root["started_unix_ms"].integer().value_or(0);
  run.seed = seed_of(root["seed"]);
  if (run.id.empty() || !root["entries"].is_array()) {
    return fail(ErrorCode::config, "this is no run of tasks");
  }
  for (Value item = root["entries"].first(); item; item = item.next()) {
    run.entries.push_back(entry_of(item));
  }
  return run;
}

Side blinded_first(std::uint64_t seed, std::string_view entry_id) {
  const std::string digest = http::sha256_hex(std::to_string(seed) + "/" + std::string(entry_id));
  // The lowest bit of the last hex digit; its ASCII code has the same one up to 9 only.
  const char last = digest.empty() ? '0' : digest.back();
  const int digit = last <= '9' ? last - '0' : last - 'a' + 10;
  return digit % 2 == 0 ? Side::local : Side::cloud;
}

}  // namespace nl::work
