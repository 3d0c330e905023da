#include "state/stretched_time.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "state/spans.h"
#include "state/sqlite.h"

namespace nl::state {
namespace {

constexpr int kBusyMs = 500;
// A pause of somebody at work.
constexpr std::int64_t kPauseMs = 15 * 60 * 1000;

constexpr std::string_view kAnswered =
    "SELECT started_ms, started_ms + duration_ms, provider, preferred FROM requests "
    "WHERE started_ms >= ? AND started_ms < ? AND outcome = 'ok' AND provider <> '' "
    "AND preferred <> '' AND NOT EXISTS (SELECT 1 FROM attempts WHERE request = requests.id "
    "AND failure_class IN ('request', 'capability')) ORDER BY started_ms, requests.id";

class Spans {
 public:
  void stood_in(const std::string& preferred, std::int64_t started, std::int64_t ended) {
    const auto [found, begins] = open_.try_emplace(preferred, started, ended);
    if (begins) return;
    Span& span = found->second;
    if (started - span.second > kPauseMs) {
      spans_.push_back(span);
      span = {started, ended};
    } else {
      span.second = std::max(span.second, ended);
    }
  }
  void is_back(const std::string& preferred, std::int64_t at) {
    const auto found = open_.find(preferred);
    if (found == open_.end()) return;
    Span span = found->second;
    // The pause before it was one without the preferred provider, too.
    if (at - span.second <= kPauseMs) span.second = std::max(span.second, at);
    spans_.push_back(span);
    open_.erase(found);
  }
  std::int64_t total_ms(std::int64_t to) {
    for (const auto& [preferred, span] : open_) spans_.push_back(span);
    open_.clear();
    return covered_ms(std::move(spans_), to);
  }

 private:
  std::map<std::string, Span> open_;  // by the preferred provider
  std::vector<Span> spans_;
};

}  // namespace

Result<std::int64_t> stretched_ms(const std::string& ledger_path, std::int64_t from_unix_ms,
                                  std::int64_t to_unix_ms) {
  struct stat info {};
  if (::stat(ledger_path.c_str(), &info) != 0) {
    return fail(ErrorCode::not_found, "no ledger at " + ledger_path);
  }
  Database database;
  Statement rows;
  int code = database.open(ledger_path, SQLITE_OPEN_READONLY);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(database.handle(), kBusyMs);
    code = rows.prepare(database, kAnswered);
  }
  Spans spans;
  if (code == SQLITE_OK) {
    rows.bind(1, from_unix_ms).bind(2, to_unix_ms);
    while ((code = rows.step()) == SQLITE_ROW) {
      const std::string target = rows.text(3);
      const std::string preferred = target.substr(0, target.find('/'));
      if (rows.text(2) == preferred) {
        spans.is_back(preferred, rows.number(0));
      } else {
        spans.stood_in(preferred, rows.number(0), rows.number(1));
      }
    }
  }
  if (code != SQLITE_DONE) {
    return fail(ErrorCode::io, "ledger " + ledger_path + ": " + sqlite3_errstr(code));
  }
  return spans.total_ms(to_unix_ms);
}

}  // namespace nl::state
