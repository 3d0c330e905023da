#include "work/readiness.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/whole_file.h"
#include "dialect/json.h"
#include "dialect/json_writer.h"
#include "work/task.h"

namespace nl::work {
namespace {

constexpr std::size_t kFileBytesMax = 4U << 20;

struct Size {
  std::string_view mark;  // a word of a model's name
  std::string_view name;
};
constexpr std::array<Size, 5> kGemma4 = {
    {{"e2b", "E2B"}, {"e4b", "E4B"}, {"12b", "12B"}, {"26b", "26B"}, {"31b", "31B"}}};

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word_letter(text[at - 1]);
    if (begins && (end == text.size() || !is_word_letter(text[end]))) return true;
  }
  return false;
}

// The place in the family, or its size when it is none of it.
std::size_t size_of(std::string_view model) {
  std::string lower(model);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const bool family = lower.find("gemma4") != std::string::npos ||
                      lower.find("gemma-4") != std::string::npos ||
                      lower.find("gemma_4") != std::string::npos;
  if (!family) return kGemma4.size();
  const auto found = std::find_if(kGemma4.begin(), kGemma4.end(),
                                  [&](const Size& size) { return has_word(lower, size.mark); });
  return static_cast<std::size_t>(found - kGemma4.begin());
}

std::string day_of(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%d}", fmt::localtime(static_cast<std::time_t>(unix_ms / 1000)));
}

// What a run has on one task and one local target.
struct Count {
  const Entry* any = nullptr;
  std::string target, model, by;
  int good = 0, bad = 0, open = 0, silent = 0;
};

void add(Count& count, const Entry& entry) {
  if (count.any == nullptr) count.any = &entry;
  if (!entry.local.answered()) {
    ++count.silent;
    return;
  }
  const auto& opinion = entry.opinion();
  if (!opinion) {
    ++count.open;
    return;
  }
  ++(opinion->local_ok ? count.good : count.bad);
  const std::string by = entry.user ? "you" : entry.judge;
  if (count.by.find(by) == std::string::npos) count.by += count.by.empty() ? by : " and " + by;
}

// One per task and target that answered; examples that nobody here answered count against each of
// the task's targets, and what another target answered says nothing of this one.
std::vector<Count> counts_of(const TaskRun& run) {
  std::vector<Count> counts;
  for (const Entry& entry : run.entries) {
    if (!entry.local.answered() || !entry.local.figures) continue;
    const std::string target = entry.local.figures->target();
    auto place = std::find_if(counts.begin(), counts.end(), [&](const Count& count) {
      return count.any->task == entry.task && count.target == target;
    });
    if (place == counts.end()) {
      counts.emplace_back();
      place = counts.end() - 1;
      place->target = target;
      place->model = entry.local.figures->model;
    }
    add(*place, entry);
  }
  for (Count& count : counts) {
    int seen = 0;
    for (const Entry& entry : run.entries) {
      if (entry.task != count.any->task) continue;
      ++seen;
      if (!entry.local.answered()) add(count, entry);
    }
    // Neither has a run that was stopped, or one in which another target stood in, shown what the
    // rest would have come to.
    const int shown = count.good + count.bad + count.open + count.silent;
    count.open += std::max({0, count.any->of - shown, seen - shown});
  }
  return counts;
}

bool decided(const Count& count) {
  return count.bad + count.silent > 0 ? count.good + count.bad > 0 : count.open == 0;
}

}  // namespace

std::vector<Readiness> readiness_of(const TaskRun& run) {
  std::vector<Readiness> all;
  for (const Count& count : counts_of(run)) {
    if (!decided(count)) continue;
    Readiness one;
    one.task = count.any->task;
    one.label = count.any->label;
    one.mark = count.any->mark;
    one.target = count.target;
    one.model = count.model;
    one.good = count.good;
    one.of = count.good + count.bad + count.open + count.silent;
    one.verdict = one.good == one.of ? Verdict::safe : Verdict::not_yet;
    one.by = count.by;
    one.date = day_of(run.started_unix_ms);
    one.run = run.id;
    all.push_back(std::move(one));
  }
  return all;
}

std::string undecided(const TaskRun& run, std::string_view task_name) {
  const auto counts = counts_of(run);
  std::string why = "no local model answered, so there is nothing to judge";
  for (const Count& count : counts) {
    if (count.any->task != task_name) continue;
    if (decided(count)) return "";
    why = fmt::format("not judged yet on {}: {} of {} answers graded", people_name(count.model),
                      count.good + count.bad, count.good + count.bad + count.open);
  }
  return why;
}

std::string readiness_words(const Readiness& readiness) {
  const std::string model = people_name(readiness.model);
  const std::string by = fmt::format("by {}, {}", readiness.by, readiness.date);
  if (readiness.verdict == Verdict::safe) {
    return fmt::format("safe on {} ({} of {} good enough, {})", model, readiness.good, readiness.of,
                       by);
  }
  return fmt::format("not yet: {} ({} of {} good enough on {}, {})", next_step(readiness.model),
                     readiness.good, readiness.of, model, by);
}

std::string people_name(std::string_view model) {
  const std::size_t place = size_of(model);
  if (place == kGemma4.size()) return std::string(model);
  return fmt::format("Gemma 4 {}", kGemma4[place].name);
}

std::string next_step(std::string_view model) {
  const std::size_t place = size_of(model);
  if (place == kGemma4.size()) return "try a larger model";
  if (place + 1 == kGemma4.size()) return "keep it on a cloud";
  return fmt::format("try {}", kGemma4[place + 1].name);
}

std::string readiness_file(const std::string& folder) {
  return folder + "/readiness.json";
}

std::string readiness_array(const std::vector<Readiness>& all) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_array();
  for (const Readiness& one : all) {
    json.begin_object()
        .string("task", one.task)
        .string("label", one.label)
        .string("mark", one.mark)
        .string("target", one.target)
        .string("model", one.model)
        .string("verdict", one.verdict == Verdict::safe ? "safe" : "not yet")
        .string("words", readiness_words(one))
        .integer("good", one.good)
        .integer("of", one.of)
        .string("by", one.by)
        .string("date", one.date)
        .string("run", one.run)
        .end_object();
  }
  json.end_array();
  return text;
}

std::string readiness_json(const std::vector<Readiness>& all) {
  return indented("{\"readiness\":" + readiness_array(all) + "}");
}

Result<std::vector<Readiness>> read_readiness(const std::string& folder) {
  const std::string path = readiness_file(folder);
  const auto text = read_whole_file(path, kFileBytesMax);
  if (!text && text.error().code == ErrorCode::not_found) return std::vector<Readiness>();
  if (!text) return std::unexpected(text.error());
  dialect::Document document;
  const auto parsed = document.parse(*text);
  if (!parsed || !document.root()["readiness"].is_array()) {
    return fail(ErrorCode::config, path + ": is damaged; remove it and grade a run again");
  }
  std::vector<Readiness> all;
  for (dialect::Value item = document.root()["readiness"].first(); item; item = item.next()) {
    Readiness one;
    one.task = item["task"].text().utf8();
    one.label = item["label"].text().utf8();
    one.mark = item["mark"].text().utf8();
    one.target = item["target"].text().utf8();
    one.model = item["model"].text().utf8();
    one.verdict = item["verdict"].equals("safe") ? Verdict::safe : Verdict::not_yet;
    one.good = static_cast<int>(item["good"].integer().value_or(0));
    one.of = static_cast<int>(item["of"].integer().value_or(0));
    one.by = item["by"].text().utf8();
    one.date = item["date"].text().utf8();
    one.run = item["run"].text().utf8();
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace nl::work
