#include <fmt/format.h>

#include <iterator>
#include <string>
#include <vector>

#include "app/plan_view.h"
#include "base/version.h"
#include "dialect/json_writer.h"
#include "http/server.h"
#include "provider/catalog.h"

namespace nl::app {
namespace {

using Out = std::back_insert_iterator<std::string>;

std::string joined(const std::vector<std::string>& words, std::string_view nothing) {
  if (words.empty()) return std::string(nothing);
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

const char* share_text(router::Share share) {
  switch (share) {
    case router::Share::any:
      return "any";
    case router::Share::configured:
      return "configured";
    case router::Share::local:
      return "local";
  }
  return "any";
}

const char* standing_text(Standing standing) {
  switch (standing) {
    case Standing::ready:
      return "ready";
    case Standing::on_client:
      return "on_client";
    case Standing::absent:
      return "absent";
  }
  return "absent";
}

void write_tier(Out out, const PlannedTier& tier) {
  fmt::format_to(out, "\ntier {} {}\n", static_cast<int>(tier.tier) + 1, router::name(tier.tier));
  for (const PlannedTarget& target : tier.targets) {
    if (target.standing == Standing::absent) {
      fmt::format_to(out, "  {:<12}  absent; {}\n", target.name, target.note);
      continue;
    }
    fmt::format_to(out, "  {:<12}  {}; {}; seen by {}\n", target.name, target.credential,
                   target.price.empty() ? "no model known" : target.price, target.seen_by);
  }
  if (!tier.note.empty()) fmt::format_to(out, "  ! {}\n", tier.note);
}

void write_list(Out out, std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  fmt::format_to(out, "\n{}\n", title);
  for (const std::string& line : lines) fmt::format_to(out, "  {}\n", line);
}

void write_bus_factor(Out out, const std::vector<BadHour>& hours) {
  fmt::format_to(out, "\nbus factor: what is left when something is gone\n");
  if (hours.empty()) {
    fmt::format_to(out, "  nothing can answer: set a key, or use a client with its own login\n");
  }
  for (const BadHour& hour : hours) {
    fmt::format_to(out, "  {:<26} {}\n", hour.what, joined(hour.left, "NOTHING"));
    for (const std::string& lost : hour.lost) fmt::format_to(out, "  {:<26} but {}\n", "", lost);
  }
}

void json_list(dialect::JsonWriter& json, std::string_view name,
               const std::vector<std::string>& items) {
  json.key(name).begin_array();
  for (const std::string& item : items) json.string(item);
  json.end_array();
}

void json_tier(dialect::JsonWriter& json, const PlannedTier& tier) {
  json.begin_object().string("tier", router::name(tier.tier));
  json.key("targets").begin_array();
  for (const PlannedTarget& target : tier.targets) {
    json.begin_object()
        .string("target", target.name)
        .string("standing", standing_text(target.standing))
        .string("credential", target.credential)
        .string("price", target.price)
        .string("seen_by", target.seen_by)
        .string("note", target.note)
        .end_object();
  }
  json.end_array().string("note", tier.note).end_object();
}

}  // namespace

std::string plan_text(const config::Config& config, const Routing& routing) {
  const PlanView view = make_plan_view(config, routing);
  std::string text;
  Out out(text);
  fmt::format_to(out, "nightlight {}, effective plan\n", kVersion);
  fmt::format_to(
      out, "configuration  {}\n",
      config.source_path.empty() ? "none needed; keys from the environment" : config.source_path);
  std::vector<std::string> shown = config.listen;
  for (std::string& one : shown) {
    const auto address = http::parse_listen_address(one);
    if (address && config.speaks_tls(*address)) one += " with TLS";
  }
  fmt::format_to(out, "listening on   {}{}\n", joined(shown, "nothing"),
                 config.tokens.empty() ? " (no token asked)" : " (token asked)");
  for (const PlannedTier& tier : view.tiers) write_tier(out, tier);
  write_list(out, "routes", view.routes);
  write_list(out, "tasks", view.tasks);
  write_list(out, "readiness", view.floors);
  fmt::format_to(out, "\nprivacy        share = {}; prompts may be seen by {}\n",
                 share_text(config.share), joined(view.seen_by, "nobody else"));
  fmt::format_to(out, "money          failing over from a subscription: at most {} a day\n",
                 dollars(config.failover_cap_micro_usd));
  fmt::format_to(out, "prices         dollars per million tokens in/out, as of {}\n",
                 provider::kFactsDate);
  write_bus_factor(out, view.bus_factor);
  write_list(out, "warnings", config.warnings);
  return text;
}

std::string plan_json(const config::Config& config, const Routing& routing) {
  const PlanView view = make_plan_view(config, routing);
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().string("version", kVersion).string("configuration", config.source_path);
  json_list(json, "listen", config.listen);
  json.key("tiers").begin_array();
  for (const PlannedTier& tier : view.tiers) json_tier(json, tier);
  json.end_array();
  json_list(json, "routes", view.routes);
  json_list(json, "tasks", view.tasks);
  json_list(json, "readiness", view.floors);
  json.string("share", share_text(config.share));
  json_list(json, "seen_by", view.seen_by);
  json.number("failover_usd_per_day", static_cast<double>(config.failover_cap_micro_usd) / 1e6);
  json.key("bus_factor").begin_array();
  for (const BadHour& hour : view.bus_factor) {
    json.begin_object().string("what", hour.what);
    json_list(json, "left", hour.left);
    json_list(json, "lost", hour.lost);
    json.end_object();
  }
  json.end_array();
  json_list(json, "warnings", config.warnings);
  json.end_object();
  return text + "\n";
}

}  // namespace nl::app
