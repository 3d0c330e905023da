#include "doctor/local_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>

namespace nl::doctor {
namespace {

constexpr std::uint64_t kGroupLeast = 4'000'000'000;
constexpr std::uint64_t kFilesFault = 256;
constexpr std::uint64_t kFilesWarning = 1024;
constexpr std::array<int, 2> kOllamaOldest = {0, 20};

Findings check_engine(const LocalTierFacts& tier) {
  if (tier.engine_program.empty()) {
    Finding finding = found(Kind::engine_missing, "no llama-server is there to run " + tier.model);
    // Without a model it is the lesser half of what is missing.
    if (tier.self_test) finding.severity = Severity::warning;
    return {std::move(finding)};
  }
  if (tier.engine_trouble.empty()) return {};
  return {
      found(Kind::engine_unfit, fmt::format("{}: {}", tier.engine_program, tier.engine_trouble))};
}

Findings check_window(const LocalTierFacts& tier) {
  if (tier.window_tokens == 0 || tier.self_test || tier.ember_chosen) return {};
  if (tier.window_tokens >= kAgentPrompt) return {};
  Finding finding = found(
      Kind::context_small,
      fmt::format("{} has a window of {} tokens here; Claude Code alone sends about 20000 before "
                  "the first question{}",
                  tier.model, tier.window_tokens,
                  tier.short_form ? ", which Nightlight puts shorter for it" : ""),
      tier.short_form ? "" : "set [local] profile = \"auto\", or [engine] context = 32768");
  // In its short form the prompt leaves room to work in.
  const bool enough = tier.short_form && tier.window_tokens >= kShortPrompt;
  if (enough) finding.severity = Severity::note;
  return {std::move(finding)};
}

Findings check_model(const LocalTierFacts& tier) {
  Findings findings;
  for (const std::string& name : tier.incomplete) {
    findings.push_back(found(Kind::model_missing,
                             fmt::format("the files of {} are gone or cut off", name),
                             "nightlight pull " + name));
  }
  for (const std::string& name : tier.wrong_digests) {
    findings.push_back(found(Kind::model_damaged,
                             fmt::format("the file of {} is not what was pulled", name),
                             fmt::format("nightlight rm {} && nightlight pull {}", name, name)));
  }
  if (!tier.missing.empty()) findings.push_back(found(Kind::model_missing, tier.missing));
  if (!tier.damaged.empty()) findings.push_back(found(Kind::model_damaged, tier.damaged));
  if (!tier.does_not_fit.empty()) findings.push_back(found(Kind::memory_small, tier.does_not_fit));
  if (!tier.held.empty()) {
    const std::size_t fix = tier.held.find("`ollama stop ");
    findings.push_back(
        found(Kind::memory_held, tier.held,
              fix == std::string::npos
                  ? ""
                  : tier.held.substr(fix + 1, tier.held.find('`', fix + 1) - fix - 1)));
  }
  return findings;
}

// The number behind `name` in /proc/meminfo, in bytes.
std::uint64_t kibibytes(const std::string& line, std::string_view name) {
  if (!line.starts_with(name)) return 0;
  std::istringstream rest(line.substr(name.size()));
  std::uint64_t value = 0;
  rest >> value;
  return value * 1024;
}

// Major and minor number of "0.33.1".
std::optional<std::array<int, 2>> version_of(std::string_view text) {
  std::array<int, 2> numbers{};
  const char* const end = text.data() + text.size();
  const auto [dot, first] = std::from_chars(text.data(), end, numbers[0]);
  if (first != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, second] = std::from_chars(dot + 1, end, numbers[1]);
  if (second != std::errc()) return std::nullopt;
  return numbers;
}

}  // namespace

Findings check_local_tier(const LocalTierFacts& tier) {
  Findings findings = check_model(tier);
  const bool ember = tier.self_test || tier.ember_chosen;
  if (!tier.has_other && (!tier.uses_engine || ember)) {
    findings.push_back(found(Kind::no_local_model,
                             tier.uses_engine ? "no model is here but ember, the self-test model, "
                                                "which knows nothing"
                                              : "no target of the configuration is on this machine",
                             tier.uses_engine ? ""
                                              : "add local = [\"engine\"] to [tiers], then: "
                                                "nightlight pull"));
  }
  if (!tier.uses_engine || (tier.self_test && tier.has_other)) return findings;
  append(findings, check_engine(tier));
  append(findings, check_window(tier));
  return findings;
}

SwapFacts read_swap(const std::string& root) {
  SwapFacts facts;
  std::uint64_t total = 0;
  std::uint64_t free = 0;
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    facts.memory_bytes += kibibytes(line, "MemTotal:");
    facts.available_bytes += kibibytes(line, "MemAvailable:");
    total += kibibytes(line, "SwapTotal:");
    free += kibibytes(line, "SwapFree:");
  }
  facts.used_bytes = total > free ? total - free : 0;
  return facts;
}

std::optional<std::uint64_t> read_files_limit(const std::string& root) {
  std::ifstream file(root + "/proc/self/limits");
  constexpr std::string_view kName = "Max open files";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    std::istringstream fields(line.substr(kName.size()));
    std::string soft;
    std::uint64_t hard = 0;
    fields >> soft >> hard;
    if (!fields.fail()) return hard;
  }
  return std::nullopt;
}

Findings check_machine(const MachineFacts& machine) {
  Findings findings;
  if (machine.group_limit_bytes > 0 && machine.group_limit_bytes < kGroupLeast) {
    findings.push_back(found(Kind::memory_limited,
                             fmt::format("memory is limited to {:.1f} GB here",
                                         static_cast<double>(machine.group_limit_bytes) / 1e9)));
  }
  const SwapFacts& swap = machine.swap;
  // What was swapped out once and is not needed does no harm.
  if (swap.used_bytes > swap.memory_bytes / 20 && swap.available_bytes < swap.memory_bytes / 5) {
    findings.push_back(found(
        Kind::swap_in_use,
        fmt::format("{:.1f} GB are swapped out", static_cast<double>(swap.used_bytes) / 1e9)));
  }
  if (machine.files && *machine.files < kFilesWarning) {
    Finding finding = found(Kind::files_few, fmt::format("at most {} files may be open: about {} "
                                                         "requests at once",
                                                         *machine.files, *machine.files / 3));
    if (*machine.files < kFilesFault) finding.severity = Severity::fault;
    findings.push_back(std::move(finding));
  }
  if (!machine.gpus.empty() && !machine.gpus_are_driven) {
    findings.push_back(found(
        Kind::gpu_unused, fmt::format("the engine does not drive the {}", machine.gpus.front())));
  }
  return findings;
}

Findings check_ollama(const OllamaFacts& ollama) {
  Findings findings;
  if (!ollama.answers) return findings;
  const auto version = version_of(ollama.version);
  // 0.0.0 is what a build from source says.
  if (version && *version < kOllamaOldest && *version != std::array<int, 2>{0, 0}) {
    findings.push_back(found(Kind::ollama_old, fmt::format("this Ollama is {}", ollama.version)));
  }
  const auto add = [&](const std::string& what) {
    Finding finding =
        found(Kind::ollama_context,
              ollama.window_is_stated
                  ? what +
                        "; Nightlight asks for more with each request, other programs are cut off "
                        "without a word, and each change loads the model anew"
                  : what + ": longer prompts are cut off without a word");
    if (ollama.window_is_stated) finding.severity = Severity::warning;
    findings.push_back(std::move(finding));
  };
  for (const OllamaModelFacts& model : ollama.models) {
    if (model.context_tokens > 0 && model.context_tokens < kOllamaContextLeast) {
      add(fmt::format("Ollama runs {} with a window of {} tokens", model.name,
                      model.context_tokens));
    }
  }
  const auto unknown = std::ranges::find(ollama.models, 0, &OllamaModelFacts::context_tokens);
  if (!ollama.window_is_stated && ollama.context_setting == 0 && unknown != ollama.models.end()) {
    Finding finding = found(
        Kind::ollama_context,
        fmt::format("nothing says with which window Ollama will run {}: its own is 4096 tokens on "
                    "many machines, and longer prompts are cut off without a word",
                    unknown->name),
        "write dialect = \"ollama\" for it: Nightlight then asks for the window itself; or start "
        "Ollama with OLLAMA_CONTEXT_LENGTH=32768");
    finding.severity = Severity::warning;
    findings.push_back(std::move(finding));
  }
  const bool small = ollama.context_setting > 0 && ollama.context_setting < kOllamaContextLeast;
  if (findings.empty() && small) {
    add(fmt::format("OLLAMA_CONTEXT_LENGTH is {}", ollama.context_setting));
  }
  return findings;
}

}  // namespace nl::doctor
