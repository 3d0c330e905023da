#include "app/first_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/toml.h"
#include "dialect/json_writer.h"

namespace nl::app {
namespace {

constexpr std::array<std::string_view, kSteps> kNames = {"model", "ask",   "tasks", "compare",
                                                         "order", "drill", "sheet"};
constexpr std::uintmax_t kRecordBytesMax = 64 << 10;
constexpr std::string_view kDamaged = "is damaged; `nightlight plan --again` begins anew";

Step seen(StepId id, const StepRecord& record, std::string_view open) {
  Step step;
  step.id = id;
  const auto at = record.find(id);
  step.done = at != record.end();
  step.said = step.done ? "done on " + at->second : std::string(open);
  return step;
}

Step model_step(const StepFacts& facts) {
  Step step;
  step.id = StepId::model;
  step.done = !facts.model.empty();
  step.command = "pull";
  step.minutes = 10;
  if (step.done) {
    step.said = facts.model + " answers on this machine";
  } else if (facts.choice.empty()) {
    step.said = "no size of Gemma 4 fits this machine; a smaller GGUF of your own may";
    step.command = "pull FILE.gguf";
  } else {
    step.said = "no model here yet; what fits: " + facts.choice;
  }
  return step;
}

Step counted(StepId id, std::size_t count, std::string_view what) {
  Step step;
  step.id = id;
  step.done = count >= kTasksLeast;
  step.said = fmt::format("{} of {} {}", count, std::max(count, kTasksLeast), what);
  return step;
}

}  // namespace

std::string_view name(StepId id) {
  return kNames[static_cast<std::size_t>(id)];
}

std::optional<StepId> step_named(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<StepId>(at - kNames.begin());
}

Result<StepRecord> read_steps(const std::string& path) {
  StepRecord record;
  std::error_code missing;
  const std::uintmax_t bytes = std::filesystem::file_size(path, missing);
  if (missing == std::errc::no_such_file_or_directory) return record;
  if (missing) return fail(ErrorCode::io, path + ": " + missing.message());
  if (bytes > kRecordBytesMax)
    return fail(ErrorCode::config, fmt::format("{}: {}", path, kDamaged));
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (const auto place = config::stray_byte(text)) {
    return fail(ErrorCode::config, fmt::format("{}:{}: {}", path, place->line, kDamaged));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(ErrorCode::config,
                fmt::format("{}:{}: {}", path, parsed.error().source().begin.line, kDamaged));
  }
  const toml::table* const done = parsed.table()["done"].as_table();
  if (done == nullptr) return record;
  for (const auto& [key, value] : *done) {
    const auto id = step_named(key.str());
    const auto* date = value.as_string();
    if (id && date != nullptr) record[*id] = date->get();
  }
  return record;
}

Result<void> write_steps(const std::string& path, const StepRecord& record) {
  std::error_code failure;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << "# What `nightlight plan` has seen done; `nightlight plan --again` begins "
            "anew.\n[done]\n";
    for (const auto& [id, date] : record) file << name(id) << " = \"" << date << "\"\n";
    if (!file.flush()) return fail(ErrorCode::io, fresh + ": " + std::strerror(errno));
  }
  std::filesystem::rename(fresh, path, failure);
  if (failure) return fail(ErrorCode::io, path + ": " + failure.message());
  return {};
}

std::vector<Step> first_steps(const StepFacts& facts) {
  std::vector<Step> steps;
  steps.push_back(model_step(facts));

  steps.push_back(seen(StepId::ask, facts.record, "nothing of yours asked yet"));
  steps.back().command = "ask FILE \"QUESTION\"";
  steps.back().minutes = 3;

  steps.push_back(counted(StepId::tasks, facts.tasks, "tasks named that must not stop"));
  steps.back().command = "tasks add NAME --prompt \"WORDS\" --input FILE";
  steps.back().minutes = 5;

  steps.push_back(counted(StepId::compare, facts.compared, "tasks judged on the local tier"));
  if (facts.tasks > 0) steps.back().done = facts.compared >= facts.tasks;
  steps.back().command = "tasks run";
  steps.back().minutes = 5;

  steps.push_back(seen(StepId::order, facts.record, "who answers when; not looked at yet"));
  steps.back().command = "check";
  steps.back().minutes = 2;

  steps.push_back(seen(StepId::drill, facts.record, "the blackout was never rehearsed"));
  steps.back().command = "drill --demo --script";
  steps.back().minutes = 3;

  steps.push_back(seen(StepId::sheet, facts.record, "not printed"));
  steps.back().command = "cheatsheet --html cheatsheet.html";
  steps.back().minutes = 1;
  return steps;
}

std::optional<Step> next_step(const std::vector<Step>& steps) {
  const auto open =
      std::find_if(steps.begin(), steps.end(), [](const Step& step) { return !step.done; });
  if (open == steps.end()) return std::nullopt;
  return *open;
}

std::string steps_text(const std::vector<Step>& steps) {
  std::string text;
  int minutes = 0;
  int number = 0;
  for (const Step& step : steps) {
    ++number;
    if (!step.done) minutes += step.minutes;
    fmt::format_to(std::back_inserter(text), "  {} [{}] {:<8} {}\n", number, step.done ? 'x' : ' ',
                   name(step.id), step.said);
    if (!step.done)
      fmt::format_to(std::back_inserter(text), "{:15}nightlight {}\n", "", step.command);
  }
  text += minutes == 0 ? "All of it is done. `nightlight plan --again` begins anew.\n"
                       : fmt::format("About {} minutes are left.\n", minutes);
  return text;
}

std::string steps_json(const std::vector<Step>& steps, const std::vector<std::string>& here) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().key("here").begin_array();
  for (const std::string& line : here) json.string(line);
  json.end_array().key("steps").begin_array();
  for (const Step& step : steps) {
    json.begin_object()
        .string("step", name(step.id))
        .boolean("done", step.done)
        .string("said", step.said)
        .string("command", "nightlight " + step.command)
        .integer("minutes", step.minutes)
        .end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

}  // namespace nl::app
