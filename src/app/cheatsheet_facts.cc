#include "app/cheatsheet_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/now_lines.h"
#include "app/scores.h"
#include "base/version.h"
#include "sheet/size_lines.h"

namespace nl::app {
namespace {

using engine::CatalogueModel;
using sheet::SheetFacts;

constexpr std::array<const char*, 3> kUses = {
    "agent work with tools, complex reasoning, large changes of code",
    "code review and debugging, long sweeps, questions of knowledge, what is too long for the "
    "local "
    "window",
    "summaries, first drafts and mail, triage and extraction, research over your documents, "
    "brainstorming, background calls; whatever must not leave this machine"};

// Commands of the program proper have no `own` name and are always there.
struct Listed {
  const char* own;
  const char* words;
  const char* does;
};
constexpr std::array<Listed, 17> kListed = {{
    {"", "nightlight up", "serve in the foreground"},
    {"", "nightlight run claude", "Claude Code through the gateway, which is started if needed"},
    {"", "nightlight status", "which tier answers now, and why"},
    {"", "nightlight pull", "get the Gemma 4 that fits this machine"},
    {"", "nightlight models --fit", "every size on this machine"},
    {"", "nightlight check", "who answers, who sees what, at which price; the bus factor"},
    {"", "nightlight drill --demo", "rehearse the blackout"},
    {"", "nightlight why last", "what happened to the last request"},
    {"", "nightlight report --since 7d", "hours dark, requests, errors, money"},
    {"", "nightlight restart", "after an update: no request fails"},
    {"ask", "nightlight ask FILE \"...\"", "ask about files; `--offline` keeps it on this machine"},
    {"tasks", "nightlight tasks run", "your own tasks, local and cloud side by side"},
    {"plan", "nightlight plan", "the guided thirty minutes"},
    {"connect", "nightlight connect CLIENT", "point a client here; `disconnect` gives back"},
    {"autostart", "nightlight autostart on", "serve from login on"},
    {"doctor", "nightlight doctor", "what would keep the light off, and its fix"},
    {"cheatsheet", "nightlight cheatsheet --pdf FILE", "this page for the wall"},
}};

bool answers(const PlannedTarget& target) {
  return target.standing != Standing::absent;
}

std::string answers_of(const PlannedTier& tier) {
  std::string text;
  for (const PlannedTarget& target : tier.targets) {
    if (!answers(target)) continue;
    text += (text.empty() ? "" : ", ") + target.name;
    if (target.standing == Standing::on_client) text += " (with the client's own login or key)";
  }
  if (!text.empty()) return text;
  return tier.tier == router::Tier::local ? "nobody yet: `nightlight pull` gets a model"
                                          : "nobody yet: set a key, `nightlight check` says which";
}

// Whether a pulled model is of that size, whatever file of it.
bool is_of(const std::string& name, const CatalogueModel& model) {
  std::string lower = name;
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower.find("gemma4:" + model.id) != std::string::npos ||
         lower.find("gemma-4-" + model.id) != std::string::npos;
}

std::vector<sheet::SeenSize> seen_of(const SheetSources& sources) {
  std::vector<sheet::SeenSize> seen;
  for (const CatalogueModel& model : sources.catalogue.models) {
    sheet::SeenSize size{model.id, 0, 0};
    bool any = false;
    for (const PulledModel& pulled : sources.pulled) {
      if (!is_of(pulled.name, model)) continue;
      any = true;
      // Rates of another file would be told of the wrong one.
      if (model.files.empty() || pulled.name != model.files.front().pull) continue;
      size.reads = pulled.reads;
      size.writes = pulled.writes;
    }
    if (any) seen.push_back(std::move(size));
  }
  return seen;
}

void add_tiers(SheetFacts& facts, const SheetSources& sources) {
  for (const PlannedTier& tier : sources.plan.tiers) {
    const auto at = static_cast<std::size_t>(tier.tier);
    facts.tiers.push_back(
        {static_cast<int>(at) + 1, router::name(tier.tier), answers_of(tier), kUses.at(at)});
  }
  const auto pick =
      std::ranges::find(facts.sizes, sheet::Standing::pick, &sheet::SizeLine::standing);
  std::string local =
      "No size fits this machine: tier 3 would have to be a model server elsewhere.";
  if (pick != facts.sizes.end()) {
    const auto& models = sources.catalogue.models;
    const auto model = std::ranges::find(models, pick->id, &CatalogueModel::id);
    const std::string tools = model == models.end() ? "" : model->tools;
    local = fmt::format("Tier 3 on this machine is {} at best ({}).", pick->title, tools);
  }
  facts.tier_notes = {local + " The tiers are an intent; your own tasks decide."};
}

void add_pulled(SheetFacts& facts, const SheetSources& sources) {
  constexpr std::size_t kNamesMax = 4;
  std::string names;
  for (std::size_t i = 0; i < std::min(sources.pulled.size(), kNamesMax); ++i) {
    names += (i == 0 ? "" : ", ") + sources.pulled[i].name;
  }
  if (sources.pulled.size() > kNamesMax) {
    names += fmt::format(" and {} more", sources.pulled.size() - kNamesMax);
  }
  facts.now.push_back({"on disk", names.empty() ? "no model: `nightlight pull` gets one" : names});
}

}  // namespace

SheetFacts sheet_facts(const SheetSources& sources) {
  SheetFacts facts;
  facts.version = kVersion;
  facts.date = sources.date;
  sheet::add_sizes(facts, {sources.catalogue, sources.machine, sources.wants, seen_of(sources)});
  facts.scores = published_scores();
  add_tiers(facts, sources);
  facts.now = now_lines(sources.status_json);
  add_pulled(facts, sources);
  facts.tasks = sources.tasks;
  for (const BadHour& hour : sources.plan.bus_factor) {
    facts.bus_factor.push_back({hour.what, hour.left, hour.lost});
  }
  for (const Listed& listed : kListed) {
    const std::string own = listed.own;
    const bool there = own.empty() || std::ranges::count(sources.own_commands, own) > 0;
    if (there) facts.commands.push_back({listed.words, listed.does});
  }
  return facts;
}

}  // namespace nl::app
