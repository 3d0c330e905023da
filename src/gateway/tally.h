// Tally: today's turns in numbers and who answered last; what `status` shows without a database.
//
// Begins anew with the local day; what the ledger knows of an earlier run today is added when it
// has been read. Shared by all loops; a short lock, never held across a suspension.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
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

class Tally {
 public:
  explicit Tally(const Clock& clock);

  // The sums of today before this process began; any thread, once.
  void add_earlier(const state::Totals& today);
  void count(const state::RequestRow& row);
  TallyNumbers numbers();
  // One per provider that was preferred since the start.
  std::vector<Answering> answering();

 private:
  void roll();
  void note_answer(const state::RequestRow& row);

  const Clock& clock_;
  std::mutex mutex_;
  std::int64_t day_;
  TallyNumbers numbers_;
  std::map<std::string, Answering> answering_;  // by the preferred provider
};

// True when another target than the preferred one answered.
bool moved(const state::RequestRow& row);

}  // namespace nl::gateway
