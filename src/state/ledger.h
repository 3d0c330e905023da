// Ledger: what was asked, tried, used and paid. Append-only; never in a request's way.
//
// record() hands a finished request to a bounded queue and returns at once; one writer thread with
// the only connection writes batches (WAL, synchronous NORMAL, checkpoints itself). A full queue, a
// full disk or a locked file loses rows, counted in dropped(), never a request. A damaged file is
// put aside under another name at start and a new one begun. Queries open their own read-only
// connection. No prompts and no answers are stored. record() and dropped(): any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "chat/event.h"

namespace nl::state {

struct AttemptRow {
  int number = 1;
  std::string tier, provider, model;
  std::string outcome;          // "ok" or an ErrorCode name
  int status = 0;               // HTTP status seen; 0 = none
  std::string failure_class;    // verdict's class, empty when ok
  std::string reason;           // for people
  std::int64_t started_ms = 0;  // after the request's start
  std::int64_t duration_ms = 0;
  std::int64_t first_content_ms = -1;  // after the attempt's start; -1 = none came
  chat::Usage usage;
  std::int64_t cost_micro_usd = -1;  // -1 = unpriced
};

struct RequestRow {
  std::string id;
  std::int64_t started_unix_ms = 0;
  std::int64_t duration_ms = 0;
  std::string dialect, client, conversation;
  std::string model_asked, label;
  bool stream = false;
  std::string outcome;                // "ok", "client_gone" or an ErrorCode name
  int status = 0;                     // what the client was told
  std::string tier, provider, model;  // who answered; empty = nobody
  std::string preferred;              // provider/model that a healthy world would have used
  std::string reason;                 // why it was not the preferred one
  std::string plan_note;              // what was skipped and why, for `why`
  chat::Usage usage;
  bool usage_estimated = false;
  std::int64_t cost_micro_usd = -1;
  bool paid_failover = false;
  std::vector<AttemptRow> attempts;
};

struct Totals {
  std::int64_t requests = 0;
  std::int64_t errors = 0;     // client-visible failures that were not the client's own fault
  std::int64_t failovers = 0;  // answered by another target than the preferred one
  std::int64_t cost_micro_usd = 0;
  std::int64_t unpriced = 0;
  // Time during which a preferred provider was failing: from a request that failed or was answered
  // by another provider to the next one that the preferred provider answered, or, while there is
  // none yet, to the end of the last failing one. Overlapping times of several providers count
  // once.
  std::int64_t dark_ms = 0;
  std::int64_t input_tokens = 0, output_tokens = 0;
  struct ByTarget {
    std::string tier, provider, model;
    std::int64_t requests = 0, input_tokens = 0, output_tokens = 0, cost_micro_usd = 0;
    std::int64_t busy_ms = 0;  // the requests' times, added up
  };
  std::vector<ByTarget> by_target;
};

class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual void record(const RequestRow& row) = 0;
  virtual std::uint64_t dropped() const = 0;
  // Writes what is queued, at most for `budget_ms`; used at shutdown.
  virtual void flush(std::int64_t budget_ms) = 0;
};

// Opens (creates) the ledger at `path` with mode 0600 and starts its writer. Never fails for a
// damaged file (it is put aside, `note` says so); fails with io when the folder cannot be used.
struct OpenedLedger {
  std::unique_ptr<Ledger> ledger;
  std::string note;
};
Result<OpenedLedger> open_ledger(const std::string& path);

// Read-only questions; each opens the file, answers and closes it. Errors: io, not_found.
class LedgerReader {
 public:
  explicit LedgerReader(std::string path) : path_(std::move(path)) {}
  // A request by id or by a unique prefix of at least 6 characters; "last" is the newest.
  Result<RequestRow> request(const std::string& id) const;
  Result<std::vector<RequestRow>> latest(int count) const;
  Result<Totals> totals(std::int64_t from_unix_ms, std::int64_t to_unix_ms) const;
  // The plain sums of totals(): without the dark time and the targets.
  Result<Totals> sums(std::int64_t from_unix_ms, std::int64_t to_unix_ms) const;
  // How many requests there are since then; counts no further than `most`.
  Result<std::int64_t> count_since(std::int64_t from_unix_ms, std::int64_t most) const;
  // Micro-dollars of paid failover since then: the spend guard's start value.
  Result<std::int64_t> paid_failover_since(std::int64_t from_unix_ms) const;
  // PRAGMA integrity_check.
  Result<void> check() const;

 private:
  std::string path_;
};

}  // namespace nl::state
