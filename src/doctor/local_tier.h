// The checks of the local tier and of the machine under it: model, engine, window, memory, GPU,
// open files, and an Ollama that serves or stands in the way.
//
// read_process_limits() and read_swap() look at /proc below `root`; everything else is pure. Any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/finding.h"

namespace nl::doctor {

struct LocalTierFacts {
  bool uses_engine = true;              // some target is the engine
  bool has_other = false;               // another local server answers and has a model
  bool self_test = false;               // nothing but ember is there
  bool ember_chosen = false;            // somebody asked for ember
  std::string model;                    // its name
  std::string damaged;                  // why its file is refused
  std::string missing;                  // why its file is not there
  std::string does_not_fit;             // why it cannot run here
  std::string held;                     // who holds the memory
  std::vector<std::string> incomplete;  // pulled models whose files are gone or cut off
  std::vector<std::string> wrong_digests;
  std::string engine_program;      // empty = none is there
  std::string engine_trouble;      // what the probe said
  std::int64_t window_tokens = 0;  // of the engine; 0 = not known
  bool short_form = true;          // [local] profile: clients' prompts are put shorter
};

Findings check_local_tier(const LocalTierFacts& tier);

// What Claude Code sends before the first question, and its short form, with room to work in.
inline constexpr std::int64_t kAgentPrompt = 24'000;
inline constexpr std::int64_t kShortPrompt = 12'000;

struct SwapFacts {
  std::uint64_t used_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t available_bytes = 0;
};
SwapFacts read_swap(const std::string& root = "");

// The hard limit of open files of this process; nothing = not said, or none.
std::optional<std::uint64_t> read_files_limit(const std::string& root = "");

struct MachineFacts {
  std::uint64_t group_limit_bytes = 0;  // 0 = none
  SwapFacts swap;
  std::optional<std::uint64_t> files;
  std::vector<std::string> gpus;
  bool gpus_are_driven = true;
};

Findings check_machine(const MachineFacts& machine);

struct OllamaModelFacts {
  std::string name;
  std::int64_t context_tokens = 0;  // with which it is loaded, or its num_ctx; 0 = not said
};

struct OllamaFacts {
  bool answers = false;
  std::string version;               // "0.33.1"
  std::int64_t context_setting = 0;  // OLLAMA_CONTEXT_LENGTH as this process sees it; 0 = unset
  std::vector<OllamaModelFacts> models;
  // Nightlight speaks its own dialect to it, and states the window with each request.
  bool window_is_stated = true;
};

// Below this a window is Ollama's trap.
inline constexpr std::int64_t kOllamaContextLeast = 8192;

Findings check_ollama(const OllamaFacts& ollama);

}  // namespace nl::doctor
