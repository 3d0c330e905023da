// Driver of the ledger's kill test: records rows as fast as it can until it is killed.
//
// usage: ledger_driver LEDGER RUN. Ids are <run>-<n>. Every hundredth row it flushes and prints how
// many are certainly written, so that the test can ask for them after the kill.
#include <cstdio>
#include <string>
#include <utility>

#include "state/ledger.h"

namespace {

nl::state::RequestRow row(const std::string& run, int number) {
  nl::state::RequestRow made;
  made.id = "req_" + run + "-" + std::to_string(number);
  made.started_unix_ms = number;
  made.dialect = "anthropic";
  made.outcome = "ok";
  made.status = 200;
  made.tier = "frontier";
  made.provider = "anthropic";
  made.model = "claude-opus";
  made.preferred = "anthropic/claude-opus";
  made.usage.input = number;
  made.usage.output = 20;
  made.cost_micro_usd = 550;
  made.attempts.resize(2);
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto opened = nl::state::open_ledger(argv[1]);
  if (!opened) {
    std::fputs((opened.error().message + "\n").c_str(), stderr);
    return 1;
  }
  if (!opened->note.empty()) {
    // Nothing but a kill ever happens here: a ledger put aside is the failure looked for.
    std::fputs((opened->note + "\n").c_str(), stderr);
    return 1;
  }
  const std::string run = argv[2];
  for (int number = 0;; ++number) {
    opened->ledger->record(row(run, number));
    // Written twice: the second one must change nothing.
    if (number % 10 == 0) opened->ledger->record(row(run, number));
    if (number % 100 != 99) continue;
    opened->ledger->flush(10'000);
    std::fputs((std::to_string(number + 1) + "\n").c_str(), stdout);
    std::fflush(stdout);
  }
}
