#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "state/ledger.h"
#include "state/ledger_file.h"

namespace nl::state {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kQueueMax = 10'000;  // rows, those being written included
// No longer waiting for company: more rows than this are no longer warm in a core's cache.
constexpr std::size_t kHurryRows = 512;
constexpr milliseconds kGather{200};  // how long a row may wait for company
constexpr milliseconds kRest{2000};   // without a row: then the memory of earlier ones goes
constexpr milliseconds kRetryFirst{200};
constexpr milliseconds kRetryMax{5000};
constexpr milliseconds kRetryFlushing{50};
constexpr milliseconds kClosingMax{1000};

// Rows in order, whose memory serves the next ones: a row crosses threads without an allocation.
class Rows {
 public:
  void push(const RequestRow& row) {
    if (count_ < rows_.size()) {
      rows_[count_] = row;
    } else {
      rows_.push_back(row);
    }
    ++count_;
  }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::span<const RequestRow> all() const { return std::span(rows_).first(count_); }
  void clear() { count_ = 0; }
  void release() { *this = Rows(); }

 private:
  std::vector<RequestRow> rows_;
  std::size_t count_ = 0;
};

// The queue and its writer thread.
class SqliteLedger final : public Ledger {
 public:
  explicit SqliteLedger(LedgerFile file)
      : file_(std::move(file)), writer_([this] { write_all(); }) {}
  ~SqliteLedger() override;

  void record(const RequestRow& row) override;
  std::uint64_t dropped() const override { return dropped_.load(std::memory_order_relaxed); }
  void flush(std::int64_t budget_ms) override;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void write_all();
  void gather(Lock& lock);
  void drop(std::size_t rows) { dropped_.fetch_add(rows, std::memory_order_relaxed); }

  LedgerFile file_;  // the writer thread's
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  Rows queue_;
  Rows batch_;                // the writer thread's
  std::size_t in_batch_ = 0;  // rows taken off the queue and not yet written
  int flushing_ = 0;          // callers that wait in flush()
  bool stopping_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread writer_;  // last: it uses all of the above
};

SqliteLedger::~SqliteLedger() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  writer_.join();
}

void SqliteLedger::record(const RequestRow& row) {
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() + in_batch_ >= kQueueMax) {
      drop(1);
      return;
    }
    queue_.push(row);
    waiting = queue_.size();
  }
  if (waiting == 1 || waiting == kHurryRows) wake_.notify_one();
}

void SqliteLedger::flush(std::int64_t budget_ms) {
  Lock lock(mutex_);
  ++flushing_;
  wake_.notify_all();
  written_.wait_for(lock, milliseconds(budget_ms),
                    [this] { return queue_.empty() && in_batch_ == 0; });
  --flushing_;
}

// Waits for a first row, then a little for more.
void SqliteLedger::gather(Lock& lock) {
  const auto due = [this] { return stopping_ || !queue_.empty(); };
  if (!wake_.wait_for(lock, kRest, due)) {
    queue_.release();
    batch_.release();
    wake_.wait(lock, due);
  }
  wake_.wait_for(lock, kGather,
                 [this] { return stopping_ || flushing_ > 0 || queue_.size() >= kHurryRows; });
}

void SqliteLedger::write_all() {
  milliseconds pause = kRetryFirst;
  std::optional<std::chrono::steady_clock::time_point> closing;
  Lock lock(mutex_);
  while (true) {
    if (batch_.empty()) {
      gather(lock);
      if (queue_.empty()) break;  // stopping, and all is written
      std::swap(queue_, batch_);
      in_batch_ = batch_.size();
    }

    lock.unlock();
    const LedgerFile::Outcome outcome = file_.write(batch_.all());
    lock.lock();

    if (outcome != LedgerFile::Outcome::later) {
      if (outcome == LedgerFile::Outcome::refused) drop(batch_.size());
      batch_.clear();
      in_batch_ = 0;
      pause = kRetryFirst;
      if (queue_.empty()) written_.notify_all();
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (stopping_ && !closing) closing = now + kClosingMax;
    if (closing && now >= *closing) break;
    const bool hurried = stopping_ || flushing_ > 0;
    wake_.wait_for(lock, hurried ? kRetryFlushing : pause,
                   [this, hurried] { return !hurried && (stopping_ || flushing_ > 0); });
    pause = std::min(pause * 2, kRetryMax);
  }
  drop(batch_.size() + queue_.size());
}

}  // namespace

Result<OpenedLedger> open_ledger(const std::string& path) {
  LedgerFile file(path);
  const auto opened = file.open();
  if (!opened) return std::unexpected(opened.error());
  OpenedLedger ledger;
  ledger.note = file.note();
  if (*opened == LedgerFile::Outcome::later) {
    ledger.note = "ledger " + path + " cannot be written yet; rows wait in memory";
  }
  ledger.ledger = std::make_unique<SqliteLedger>(std::move(file));
  return ledger;
}

}  // namespace nl::state
