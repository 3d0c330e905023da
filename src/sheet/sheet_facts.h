// SheetFacts: everything that the cheat sheet of one machine tells, as plain values.
//
// The program fills them (from the machine, the catalogue, the running gateway, the configuration
// and the user's tasks); make_layout() turns them into the one layout that a terminal, a browser
// and paper show. Nothing here reads a file or a clock. Texts may hold anything: the layout cleans
// them. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nl::sheet {

enum class Known : std::uint8_t { estimated, measured };

// How a size stands on this machine.
enum class Standing : std::uint8_t { pick, fits, slow, absent };

// One size on this machine.
struct SizeLine {
  std::string id;     // "26b"
  std::string title;  // "Gemma 4 26B-A4B"
  std::string quant;  // of the file that is looked at: "QAT Q4_0"
  std::string pull;   // what `nightlight pull` takes; empty = not known where
  Standing standing = Standing::absent;
  std::string verdict;            // "the pick", or what is in its way
  std::string place;              // "memory", "GPU", "GPU, experts in memory"; empty = does not fit
  std::uint64_t needs_bytes = 0;  // by its plan here, or by the least one
  std::uint32_t window = 0;       // tokens, shared by all slots; 0 = does not fit
  std::uint32_t nominal = 0;
  int slots = 0;
  double reads = 0;  // tokens/s
  double writes = 0;
  Known rates = Known::estimated;
  int warm = 0;              // conversations that standby can keep read
  std::string note;          // what was given up
  bool takes_images = true;  // under its plan here
  bool on_disk = false;      // a file of this size has been pulled
};

// What a size asks of any machine: the smallest of the usual ones that run it with the usual
// window.
struct NeedLine {
  std::string title;
  std::uint64_t file_bytes = 0;
  int memory_gb = 0;  // without a GPU; 0 = none of the usual machines
  int unified_gb = 0;
  int gpu_gb = 0;
  double speed_gb = 0;              // GB/s of memory for kWriteLeast tokens/s
  std::vector<std::string> inputs;  // "text", "image", "audio", "video"
  std::string tools;                // how it calls tools, for people
};

// Published figures. A cell without a figure is empty.
struct Benchmark {
  std::string title;  // "tau2, 3 domains"
  std::string tells;  // what it is worth here
};
struct ScoreLine {
  std::string title;
  std::vector<std::string> figures;  // one for each benchmark
};
struct Scores {
  std::vector<Benchmark> benchmarks;
  std::vector<ScoreLine> lines;
  std::vector<std::string> caveats;  // sources first
};

struct TierLine {
  int number = 1;
  std::string name;
  std::string answers;  // who can answer there, or why nobody can
  std::string uses;
};

// Of the gateway that may be running, what it says for people.
struct NowLine {
  std::string what;
  std::string state;
};

// A task of the user, as `nightlight tasks` keeps it.
struct TaskLine {
  std::string name;
  std::string readiness;  // in words
  std::string model;      // that was tried
  std::string date;
};

struct HourLine {
  std::string what;
  std::vector<std::string> left;
  std::vector<std::string> lost;  // look like a way out and are none
};

struct CommandLine {
  std::string words;
  std::string does;
};

struct SheetFacts {
  std::string version;
  std::string date;                // "2026-11-25"
  std::vector<std::string> about;  // the machine, the pick and its rates, a line each
  std::string hold;                // why nothing may be loaded this moment; empty = it may
  std::vector<SizeLine> sizes;
  std::vector<NeedLine> needs;
  Scores scores;
  std::vector<TierLine> tiers;
  std::vector<std::string> tier_notes;
  std::vector<NowLine> now;
  std::vector<TaskLine> tasks;
  std::vector<HourLine> bus_factor;
  std::vector<CommandLine> commands;
};

}  // namespace nl::sheet
