#include "sheet/sheet_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/pick_model.h"
#include "sheet/sheet_text.h"

namespace nl::sheet {
namespace {

using Cells = std::vector<std::string>;

std::string gigabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

std::string window_text(const SizeLine& size) {
  const std::string nominal = fmt::format("{} k", size.nominal / 1024);
  if (size.window == 0) return "- of " + nominal;
  return fmt::format("{} k of {}", size.window / 1024, nominal);
}

std::string rate_text(const SizeLine& size, double rate) {
  if (size.window == 0) return "-";
  const char* about = size.rates == Known::measured ? "" : "~";
  return fmt::format("{}{:.{}f}", about, rate, rate < 10 ? 1 : 0);
}

std::string joined(const std::vector<std::string>& words, std::string_view nothing) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? std::string(nothing) : text;
}

// "Gemma 4 26B-A4B" where the section's title names the family.
std::string short_title(const std::string& title) {
  constexpr std::string_view kFamily = "Gemma 4 ";
  return title.starts_with(kFamily) ? title.substr(kFamily.size()) : title;
}

Section sizes_section(const SheetFacts& facts) {
  Section made{"sizes", "Gemma 4 on this machine", {}, {}, {}, 100};
  made.columns = {{"size"},
                  {"where"},
                  {"needs", Align::right},
                  {"real window", Align::right},
                  {"reads", Align::right},
                  {"writes", Align::right},
                  {"warm", Align::right},
                  {"verdict"}};
  for (const SizeLine& size : facts.sizes) {
    Row row;
    const bool fits = size.window > 0;
    std::string verdict = size.verdict;
    if (size.on_disk) verdict += ", on disk";
    if (fits && !size.takes_images) verdict += ", text only";
    row.cells = {short_title(size.title),
                 fits ? size.place : "-",
                 gigabytes(size.needs_bytes),
                 window_text(size),
                 rate_text(size, size.reads),
                 rate_text(size, size.writes),
                 fits ? std::to_string(size.warm) : "-",
                 verdict};
    if (size.standing == Standing::pick) row.tone = Tone::strong;
    if (size.standing == Standing::absent) row.tone = Tone::faint;
    made.rows.push_back(std::move(row));
  }
  made.notes = {
      "Window: what runs here of what the model was trained for, in tokens, shared by all slots. "
      "Rates in tokens a second; ~ is an estimate, without it the rate was measured here. Warm: "
      "conversations that standby can keep read."};
  if (!facts.hold.empty()) made.notes.push_back("Now: " + facts.hold + ".");
  return made;
}

Section needs_section(const SheetFacts& facts) {
  Section made{"needs", "What each size needs", {}, {}, {}, 50};
  made.columns = {{"size"},
                  {"file", Align::right},
                  {"memory, no GPU", Align::right},
                  {"unified memory", Align::right},
                  {"memory of a GPU", Align::right},
                  {"memory speed", Align::right},
                  {"get it with"}};
  const auto sold = [](int gb) { return gb == 0 ? std::string("-") : fmt::format("{} GB", gb); };
  for (std::size_t i = 0; i < facts.needs.size(); ++i) {
    const NeedLine& need = facts.needs[i];
    const std::string pull = i < facts.sizes.size() ? facts.sizes[i].pull : "";
    made.rows.push_back(
        {{short_title(need.title), gigabytes(need.file_bytes), sold(need.memory_gb),
          sold(need.unified_gb), sold(need.gpu_gb), fmt::format("{:.0f} GB/s", need.speed_gb),
          pull.empty() ? "-" : "nightlight pull " + pull},
         Tone::plain});
  }
  made.notes = {fmt::format(
      "The smallest machine, as memory is sold, that runs the 4-bit file with a window of 32 k, "
      "two "
      "slots and images; speed for {:.0f} tokens/s written. Smaller machines run it with a shorter "
      "window.",
      engine::kWriteLeast)};
  return made;
}

Section takes_section(const SheetFacts& facts) {
  constexpr std::array<const char*, 4> kInputs = {"text", "image", "audio", "video"};
  Section made{"takes", "What each size takes", {{"size"}}, {}, {}, 60};
  for (const char* input : kInputs) made.columns.push_back({input});
  made.columns.push_back({"with tools"});
  for (const NeedLine& need : facts.needs) {
    Row row{{short_title(need.title)}, Tone::plain};
    for (const char* input : kInputs) {
      row.cells.emplace_back(std::ranges::count(need.inputs, input) > 0 ? "yes" : "no");
    }
    row.cells.push_back(need.tools);
    made.rows.push_back(std::move(row));
  }
  made.notes = {
      "What the models were made for. A local model gets text, images and, where the engine says "
      "that it hears, sound; video stays behind, and the model is told so."};
  return made;
}

Section scores_section(const Scores& scores) {
  Section made{
      "scores", "Published scores (the makers' own figures)", {{"model"}}, {}, scores.caveats, 40};
  for (const Benchmark& benchmark : scores.benchmarks) {
    made.columns.push_back({benchmark.title, Align::right});
  }
  for (const ScoreLine& line : scores.lines) {
    Row row{{line.title}, Tone::plain};
    for (std::size_t i = 0; i < scores.benchmarks.size(); ++i) {
      const bool known = i < line.figures.size() && !line.figures[i].empty();
      row.cells.push_back(known ? line.figures[i] : "-");
    }
    made.rows.push_back(std::move(row));
  }
  std::string tells;
  for (const Benchmark& benchmark : scores.benchmarks) {
    if (benchmark.tells.empty()) continue;
    tells += fmt::format("{}{}: {}", tells.empty() ? "" : "; ", benchmark.title, benchmark.tells);
  }
  if (!tells.empty()) made.notes.insert(made.notes.begin(), tells + ".");
  return made;
}

Section tiers_section(const SheetFacts& facts) {
  Section made{"tiers", "Which tier for what", {{"tier"}, {"answers"}, {"use it for"}}, {}, {},
               70,      Extent::open};
  for (const TierLine& tier : facts.tiers) {
    made.rows.push_back(
        {{fmt::format("{} {}", tier.number, tier.name), tier.answers, tier.uses}, Tone::plain});
  }
  made.notes = facts.tier_notes;
  return made;
}

Section now_section(const SheetFacts& facts) {
  Section made{"now", "Now", {{"what"}, {"state"}}, {}, {}, 80, Extent::open};
  for (const NowLine& line : facts.now) made.rows.push_back({{line.what, line.state}, Tone::plain});
  return made;
}

Section tasks_section(const SheetFacts& facts) {
  Section made{"tasks", "Your own tasks", {}, {}, {}, 95, Extent::open};
  if (facts.tasks.empty()) {
    made.notes = {
        "None has been tried here yet: what a local model is worth for your work, only "
        "your own tasks can tell."};
    return made;
  }
  made.columns = {{"task"}, {"readiness"}, {"tried with"}, {"on"}};
  for (const TaskLine& task : facts.tasks) {
    made.rows.push_back({{task.name, task.readiness, task.model, task.date}, Tone::plain});
  }
  return made;
}

Section hours_section(const SheetFacts& facts) {
  Section made{"bus-factor", "Bus factor: what is left when something is gone", {}, {}, {}, 90,
               Extent::open};
  if (facts.bus_factor.empty()) {
    made.notes = {"Nothing can answer: set a key, or use a client with its own login."};
    return made;
  }
  made.columns = {{"in a bad hour"}, {"left"}};
  for (const HourLine& hour : facts.bus_factor) {
    std::string left = joined(hour.left, "NOTHING");
    for (const std::string& lost : hour.lost) left += "; but " + lost;
    made.rows.push_back({{hour.what, left}, hour.left.empty() ? Tone::strong : Tone::plain});
  }
  return made;
}

Section commands_section(const SheetFacts& facts) {
  Section made{"commands", "Commands", {{"command"}, {"what it does"}}, {}, {}, 65};
  for (const CommandLine& line : facts.commands) {
    made.rows.push_back({{line.words, line.does}, Tone::plain});
  }
  return made;
}

void clean_all(std::vector<std::string>& texts) {
  for (std::string& text : texts) text = clean(text);
}

void clean_all(Layout& layout) {
  layout.title = clean(layout.title);
  layout.subtitle = clean(layout.subtitle);
  clean_all(layout.lead);
  clean_all(layout.foot);
  for (Section& section : layout.sections) {
    section.title = clean(section.title);
    for (Column& column : section.columns) column.title = clean(column.title);
    for (Row& row : section.rows) clean_all(row.cells);
    clean_all(section.notes);
  }
}

}  // namespace

Layout make_layout(const SheetFacts& facts) {
  Layout layout;
  layout.title = "Nightlight: the cheat sheet of this machine";
  layout.subtitle = fmt::format("{}, nightlight {}", facts.date, facts.version);
  layout.lead = facts.about;
  layout.sections = {now_section(facts),   sizes_section(facts),         tasks_section(facts),
                     hours_section(facts), tiers_section(facts),         takes_section(facts),
                     needs_section(facts), scores_section(facts.scores), commands_section(facts)};
  std::erase_if(layout.sections, [](const Section& section) {
    return section.rows.empty() && section.notes.empty();
  });
  layout.foot = {
      "Made on this machine from what is here; nothing was asked of any cloud. Estimates "
      "follow from the speed of memory and are said to be estimates."};
  clean_all(layout);
  return layout;
}

}  // namespace nl::sheet
