#include "work/task_asking.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "work/judge.h"
#include "work/task_report.h"

namespace nl::work {
namespace {

constexpr std::uint32_t kJudgeTokens = 1024;
constexpr const char* kLocalRoute = "@local";
constexpr const char* kClouds = "@frontier,@router";

Prompt prompt_for(const Task& task, const ExampleInput& input) {
  Prompt prompt;
  prompt.system = task.system;
  prompt.text = asked_of(task, input.text);
  prompt.images = input.images;
  prompt.model = task.model;
  if (task.max_tokens > 0) prompt.max_tokens = static_cast<std::uint32_t>(task.max_tokens);
  prompt.task = task.label;
  return prompt;
}

Entry next_entry(const Task& task, const std::string& title, const TaskRun& run) {
  Entry entry;
  entry.task = task.name;
  entry.label = task.label;
  entry.mark = task_mark(task);
  const auto before = std::count_if(run.entries.begin(), run.entries.end(),
                                    [&](const Entry& one) { return one.task == task.name; });
  entry.example = 1 + static_cast<int>(before);
  entry.of = static_cast<int>(task.examples.size());
  entry.title = title;
  entry.first = blinded_first(run.seed, entry.id());
  return entry;
}

// What whoever grades should know of a whole answer.
std::string lacks_of(const Reply& reply) {
  std::string lacks;
  if (!reply.compacted.empty()) lacks = "the example was shortened to fit: " + reply.compacted;
  const auto add = [&lacks](std::string_view what) {
    lacks.append(lacks.empty() ? "" : "; ").append(what);
  };
  if (reply.stop_reason == "max_tokens") add("the answer was cut at its limit of tokens");
  if (reply.stop_reason == "refusal") add("the model refused");
  return lacks;
}

// An answer of the wrong tier is no answer of this one.
void check_tier(Leg& leg, Side wanted) {
  if (!leg.answered() || !leg.figures) return;
  const bool local = leg.figures->tier == "local";
  if (local == (wanted == Side::local)) return;
  leg.trouble = fmt::format("{}; {} answered in its place",
                            wanted == Side::local ? "no local model answered" : "no cloud answered",
                            leg.figures->target());
}

}  // namespace

Result<Leg> TaskAsking::ask_leg(const Prompt& prompt) const {
  Asked asked = parts_.ask(prompt);
  Leg leg;
  leg.request_id = std::move(asked.request_id);
  if (asked.reply) {
    leg.note = lacks_of(*asked.reply);
    leg.answer = std::move(asked.reply->text);
    if (leg.answer.empty()) leg.trouble = "the answer was empty";
  } else {
    if (asked.reply.error().code == ErrorCode::cancelled) {
      return std::unexpected(asked.reply.error());
    }
    leg.trouble = asked.reply.error().message;
  }
  if (leg.request_id.empty()) return leg;
  auto figures = parts_.figures(leg.request_id);
  if (figures) {
    leg.figures = std::move(*figures);
  } else if (leg.trouble.empty()) {
    leg.trouble = "answered, but the ledger has no record of it: " + figures.error().message;
  }
  return leg;
}

Result<void> TaskAsking::answer(const Task& task, const ExampleInput& input,
                                const std::string& cloud, TaskRun& run) const {
  Entry entry = next_entry(task, input.title, run);
  Prompt prompt = prompt_for(task, input);
  entry.prompt = prompt.text;
  for (const Side side : {Side::local, Side::cloud}) {
    prompt.route = side == Side::local ? kLocalRoute : cloud;
    auto leg = ask_leg(prompt);
    if (!leg) return std::unexpected(leg.error());
    check_tier(*leg, side);
    parts_.say(leg_line(entry.id(), side, *leg));
    (side == Side::local ? entry.local : entry.cloud) = std::move(*leg);
  }
  run.entries.push_back(std::move(entry));
  return {};
}

void TaskAsking::unreadable(const Task& task, const std::string& title, const std::string& why,
                            TaskRun& run) const {
  Entry entry = next_entry(task, title, run);
  entry.local.trouble = entry.cloud.trouble = "the example cannot be read: " + why;
  for (const Side side : {Side::local, Side::cloud}) {
    parts_.say(leg_line(entry.id(), side, entry.leg(side)));
  }
  run.entries.push_back(std::move(entry));
}

Result<Reading> TaskAsking::read_once(const Entry& entry, const std::string& judge_name,
                                      Side first) const {
  Reading reading;
  reading.first = first;
  Prompt prompt;
  prompt.system = judge_system();
  prompt.text = judge_question(entry, first, random_id(12));
  prompt.max_tokens = kJudgeTokens;
  prompt.json_schema = judge_schema();
  const bool is_target = judge_name.starts_with('@') || judge_name.find('/') != std::string::npos;
  prompt.route = is_target ? judge_name : kClouds;
  if (!is_target) prompt.model = judge_name;
  auto leg = ask_leg(prompt);
  if (!leg) return std::unexpected(leg.error());
  reading.leg = std::move(*leg);
  if (!reading.leg.answered()) return reading;
  auto says = parse_judgement(reading.leg.answer, first);
  if (says) {
    reading.says = says->opinion;
    reading.why = std::move(says->why);
  } else {
    reading.leg.trouble = says.error().message;
  }
  return reading;
}

Result<void> TaskAsking::judge(Entry& entry, const std::string& judge_name) const {
  if (!entry.local.answered() || !entry.cloud.answered()) return {};
  std::vector<Reading> readings;
  for (const Side first : {entry.first, other(entry.first)}) {
    auto reading = read_once(entry, judge_name, first);
    if (!reading) return std::unexpected(reading.error());
    readings.push_back(std::move(*reading));
  }
  entry.judge = judge_name;
  entry.readings = std::move(readings);
  entry.judged = agreed(entry.readings);
  parts_.say(judge_line(entry));
  return {};
}

}  // namespace nl::work
