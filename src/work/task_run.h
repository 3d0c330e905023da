// TaskRun: what came of running the tasks once: both answers to every example, what the ledger says
// of them, and who found which one good enough.
//
// A run is kept whole in one file, so that grading can go on another day. No figure in it was
// measured here: each is the ledger's, by the id of the request. Plain values; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::work {

enum class Side : std::uint8_t { local, cloud };
const char* name(Side side);
inline Side other(Side side) {
  return side == Side::local ? Side::cloud : Side::local;
}

// The ledger's record of one request.
struct Figures {
  std::string tier, provider, model;  // who answered; empty = nobody
  std::string outcome, reason;
  std::int64_t duration_ms = -1;
  std::int64_t first_ms = -1;      // until the first content; -1 = none came
  std::int64_t input_tokens = -1;  // -1 = not told
  std::int64_t output_tokens = -1;
  std::int64_t cost_micro_usd = -1;  // -1 = unpriced
  bool estimated = false;            // the tokens

  std::string target() const { return model.empty() ? provider : provider + "/" + model; }
};

// One answer, or why there is none.
struct Leg {
  std::string request_id;
  std::string answer;
  std::string trouble;  // empty = answered
  std::optional<Figures> figures;
  std::string note;  // what a whole answer lacks: shortened on its way, cut at its end

  bool answered() const { return trouble.empty(); }
};

enum class Better : std::uint8_t { local, cloud, same };

struct Opinion {
  Better better = Better::same;
  bool local_ok = false;  // good enough for the task
  bool cloud_ok = false;
};

// One look of a judge at both answers, in one order.
struct Reading {
  Side first = Side::local;  // which one it was shown first
  Leg leg;                   // its own request; trouble also says that its words were no verdict
  std::optional<Opinion> says;
  std::string why;
};

struct Entry {
  std::string task, label, mark;  // the task as it was
  int example = 1;                // from 1
  int of = 0;                     // examples that the task has
  std::string title;              // of the example
  std::string prompt;             // as asked of both
  Side first = Side::local;       // which one people see as A
  Leg local, cloud;
  std::optional<Opinion> user;
  std::string judge;  // the model that judged
  std::vector<Reading> readings;
  std::optional<Opinion> judged;

  std::string id() const { return task + "." + std::to_string(example); }
  const Leg& leg(Side side) const { return side == Side::local ? local : cloud; }
  // The user's opinion, else the judge's.
  const std::optional<Opinion>& opinion() const { return user ? user : judged; }
};

struct TaskRun {
  std::string id;  // "2026-11-25-233012", local time
  std::int64_t started_unix_ms = 0;
  std::uint64_t seed = 0;  // of the blinded orders
  std::vector<Entry> entries;
};

std::string run_json(const TaskRun& run);
// The same as the members of an object, on one line.
std::string run_members(const TaskRun& run);
// Errors: config.
Result<TaskRun> parse_run(std::string_view json);

// Which side is A for an entry: a coin that falls the same way for the same seed.
Side blinded_first(std::uint64_t seed, std::string_view entry_id);

}  // namespace nl::work
