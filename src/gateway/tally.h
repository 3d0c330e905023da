// Tally: today's turns in numbers and who answered last; what `status` shows without a database.
//
// Begins anew with the local day; what the ledger knows of an earlier run today is added when it
// has been read. Keeps the last rows of our own command line's turns, which asks what they came to
// before the ledger is written. Shared by all loops; a short lock, never held across a suspension.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "state/ledger.h"

namespace nl::gateway {

struct TallyNumbers {
  std::int64_t requests = 0;
  std::int64_t errors = 0;     // not answered, by no fault of the client
  std::int64_t failovers = 0;  // answered by another target than the preferred one
  std::int64_t cost_micro_usd = 0;
  // Of the newest answer.
  std::string tier, provider, model, reason;
};

// Who gave the newest answer where `preferred`, a provider, was to give it.
struct Answering {
  std::string preferred;
  std::string tier, provider, model;
  std::string reason;  // why another one stands in; empty when none does
};

// A turn as it was settled.
struct KeptRow {
  state::RequestRow row;
  std::string compacted;  // what was left out of it for a model on this machine; empty = nothing
};

class Tally {
 public:
  explicit Tally(const Clock& clock);

  // The sums of today before this process began; any thread, once.
  void add_earlier(const state::Totals& today);
  void count(const state::RequestRow& row);
  TallyNumbers numbers();
  // One per provider that was preferred since the start.
  std::vector<Answering> answering();
  // Keeps a copy of `row` until kRowsKept newer ones have come.
  void keep(const state::RequestRow& row, std::string compacted);
  std::optional<KeptRow> kept(std::string_view id);

 private:
  static constexpr std::size_t kRowsKept = 256;

  void roll();
  void note_answer(const state::RequestRow& row);

  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t day_;
  TallyNumbers numbers_;
  std::map<std::string, Answering, std::less<>> answering_;  // by the preferred provider
  std::deque<KeptRow> rows_;
};

// True when another target than the preferred one answered.
bool moved(const state::RequestRow& row);

}  // namespace nl::gateway
