#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "state/ledger.h"
#include "state/ledger_schema.h"
#include "state/spans.h"
#include "state/sqlite.h"

namespace nl::state {

namespace {

constexpr int kBusyMs = 500;
constexpr std::size_t kPrefixMin = 6;

// What a client caused itself is no error of the gateway's. 402, 408 and 429 reach a client only
// when every target is out.
constexpr const char* kClientsFault =
    "(outcome IN ('client_gone', 'cancelled', 'bad_request', 'too_large', 'unauthorized', "
    "'forbidden', 'not_found', 'unsupported') OR "
    "(outcome = 'status' AND status BETWEEN 400 AND 499 AND status NOT IN (402, 408, 429)))";

std::unexpected<Error> trouble(const Database& database, const std::string& path) {
  return fail(ErrorCode::io, "ledger " + path + ": " + sqlite3_errmsg(database.handle()));
}

Result<Database> open_to_read(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return fail(ErrorCode::not_found, "no ledger at " + path);
  }
  Database database;
  const int code = database.open(path, SQLITE_OPEN_READONLY);
  if (code != SQLITE_OK) {
    return fail(ErrorCode::io, "ledger " + path + ": " + sqlite3_errstr(code));
  }
  sqlite3_busy_timeout(database.handle(), kBusyMs);
  return database;
}

Result<std::vector<RequestRow>> read_rows(const Database& database, Statement& statement,
                                          const std::string& path) {
  std::vector<RequestRow> rows;
  Statement attempts;
  if (attempts.prepare(database, kSelectAttempts) != SQLITE_OK) return trouble(database, path);
  int code = SQLITE_ROW;
  while ((code = statement.step()) == SQLITE_ROW) {
    RequestRow row = read_request(statement);
    attempts.bind(1, statement.number(0));
    while (attempts.step() == SQLITE_ROW) row.attempts.push_back(read_attempt(attempts));
    attempts.rewind();
    rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return trouble(database, path);
  return rows;
}

std::string provider_in(std::string_view target) {
  return std::string(target.substr(0, target.find('/')));
}

// The union of the intervals during which some preferred provider was failing. An interval begins
// with a request that failed or was answered by another provider, and ends with the next request
// that its preferred provider answered, or with the last one that it did not.
class DarkTime {
 public:
  explicit DarkTime(std::int64_t to) : to_(to) {}

  void answered_by_preferred(const std::string& provider, std::int64_t started) {
    const auto found = open_.find(provider);
    if (found == open_.end()) return;
    spans_.push_back({found->second.first, started});
    open_.erase(found);
  }
  void failing(const std::string& provider, std::int64_t started, std::int64_t ended) {
    const auto [found, begins] = open_.try_emplace(provider, started, ended);
    if (!begins) found->second.second = std::max(found->second.second, ended);
  }
  std::int64_t total_ms() {
    for (const auto& [provider, span] : open_) spans_.push_back(span);
    open_.clear();
    return covered_ms(std::move(spans_), to_);
  }

 private:
  std::int64_t to_;
  std::map<std::string, Span> open_;
  std::vector<Span> spans_;
};

Result<std::int64_t> dark_ms(const Database& database, std::int64_t from, std::int64_t to) {
  Statement rows;
  const std::string sql =
      std::string(
          "SELECT started_ms, started_ms + duration_ms, outcome = 'ok', provider, "
          "preferred FROM requests WHERE started_ms >= ? AND started_ms < ? AND "
          "preferred <> '' AND NOT ") +
      kClientsFault + " ORDER BY started_ms, id";
  if (rows.prepare(database, sql) != SQLITE_OK) return trouble(database, "");
  rows.bind(1, from).bind(2, to);
  DarkTime dark(to);
  int code = SQLITE_ROW;
  while ((code = rows.step()) == SQLITE_ROW) {
    const std::string preferred = provider_in(rows.text(4));
    const bool answered = rows.number(2) != 0;
    if (answered && rows.text(3) == preferred) {
      dark.answered_by_preferred(preferred, rows.number(0));
    } else {
      dark.failing(preferred, rows.number(0), rows.number(1));
    }
  }
  if (code != SQLITE_DONE) return trouble(database, "");
  return dark.total_ms();
}

Result<Totals> read_sums(const Database& database, std::int64_t from, std::int64_t to) {
  Statement sums;
  const std::string sql = std::string(
                              "SELECT COUNT(*), "
                              "SUM(outcome <> 'ok' AND NOT ") +
                          kClientsFault +
                          "), SUM(outcome = 'ok' AND provider <> '' AND preferred <> '' AND "
                          "provider || '/' || model <> preferred), "
                          "SUM(cost_micro_usd), SUM(provider <> '' AND cost_micro_usd IS NULL), "
                          "SUM(COALESCE(input_tokens, 0) + COALESCE(cache_read_tokens, 0) + "
                          "COALESCE(cache_write_tokens, 0)), SUM(output_tokens) "
                          "FROM requests WHERE started_ms >= ? AND started_ms < ?";
  if (sums.prepare(database, sql) != SQLITE_OK) return trouble(database, "");
  sums.bind(1, from).bind(2, to);
  if (sums.step() != SQLITE_ROW) return trouble(database, "");
  Totals totals;
  totals.requests = sums.number(0);
  totals.errors = sums.number(1);
  totals.failovers = sums.number(2);
  totals.cost_micro_usd = sums.number(3);
  totals.unpriced = sums.number(4);
  totals.input_tokens = sums.number(5);
  totals.output_tokens = sums.number(6);
  return totals;
}

}  // namespace

Result<RequestRow> LedgerReader::request(const std::string& id) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  Statement statement;
  const bool last = id == "last";
  // A prefix is a range: no pattern characters to escape, and the index serves it.
  const std::string sql = std::string(kSelectRequest) +
                          (last ? "ORDER BY started_ms DESC, id DESC LIMIT 1"
                                : "WHERE request_id = ?1 OR (request_id >= ?1 AND request_id < ?2) "
                                  "ORDER BY request_id = ?1 DESC LIMIT 2");
  if (statement.prepare(*database, sql) != SQLITE_OK) return trouble(*database, path_);
  const std::string beyond = id.size() < kPrefixMin ? id : id + '\x7f';
  if (!last) statement.bind(1, std::string_view(id)).bind(2, std::string_view(beyond));
  auto rows = read_rows(*database, statement, path_);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorCode::not_found, "no request " + id + " in the ledger");
  if (!last && rows->size() > 1 && rows->front().id != id) {
    return fail(ErrorCode::not_found, "more than one request begins with " + id);
  }
  return std::move(rows->front());
}

Result<std::vector<RequestRow>> LedgerReader::latest(int count) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  Statement statement;
  const std::string sql = std::string(kSelectRequest) + "ORDER BY started_ms DESC, id DESC LIMIT ?";
  if (statement.prepare(*database, sql) != SQLITE_OK) return trouble(*database, path_);
  statement.bind(1, static_cast<std::int64_t>(std::max(count, 0)));
  return read_rows(*database, statement, path_);
}

Result<std::int64_t> LedgerReader::count_since(std::int64_t from_unix_ms, std::int64_t most) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  Statement count;
  constexpr std::string_view kCount =
      "SELECT COUNT(*) FROM (SELECT 1 FROM requests WHERE started_ms >= ? LIMIT ?)";
  if (count.prepare(*database, kCount) != SQLITE_OK) return trouble(*database, path_);
  count.bind(1, from_unix_ms).bind(2, most);
  if (count.step() != SQLITE_ROW) return trouble(*database, path_);
  return count.number(0);
}

Result<Totals> LedgerReader::sums(std::int64_t from_unix_ms, std::int64_t to_unix_ms) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  return read_sums(*database, from_unix_ms, to_unix_ms);
}

Result<Totals> LedgerReader::totals(std::int64_t from_unix_ms, std::int64_t to_unix_ms) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  // One snapshot for all three questions.
  if (database->run("BEGIN") != SQLITE_OK) return trouble(*database, path_);
  auto summed = read_sums(*database, from_unix_ms, to_unix_ms);
  if (!summed) return summed;
  Totals totals = std::move(*summed);

  Statement targets;
  constexpr std::string_view kByTarget =
      "SELECT tier, provider, model, COUNT(*), "
      "SUM(COALESCE(input_tokens, 0) + COALESCE(cache_read_tokens, 0) + "
      "COALESCE(cache_write_tokens, 0)), SUM(output_tokens), SUM(cost_micro_usd), "
      "SUM(duration_ms) "
      "FROM requests WHERE started_ms >= ? AND started_ms < ? AND provider <> '' "
      "GROUP BY tier, provider, model ORDER BY COUNT(*) DESC, provider, model";
  if (targets.prepare(*database, kByTarget) != SQLITE_OK) return trouble(*database, path_);
  targets.bind(1, from_unix_ms).bind(2, to_unix_ms);
  int code = SQLITE_ROW;
  while ((code = targets.step()) == SQLITE_ROW) {
    Totals::ByTarget by;
    by.tier = targets.text(0);
    by.provider = targets.text(1);
    by.model = targets.text(2);
    by.requests = targets.number(3);
    by.input_tokens = targets.number(4);
    by.output_tokens = targets.number(5);
    by.cost_micro_usd = targets.number(6);
    by.busy_ms = targets.number(7);
    totals.by_target.push_back(std::move(by));
  }
  if (code != SQLITE_DONE) return trouble(*database, path_);

  const auto dark = dark_ms(*database, from_unix_ms, to_unix_ms);
  if (!dark) return std::unexpected(dark.error());
  totals.dark_ms = *dark;
  return totals;
}

Result<std::int64_t> LedgerReader::paid_failover_since(std::int64_t from_unix_ms) const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  Statement sum;
  constexpr std::string_view kSum =
      "SELECT SUM(cost_micro_usd) FROM requests WHERE paid_failover = 1 AND started_ms >= ?";
  if (sum.prepare(*database, kSum) != SQLITE_OK) return trouble(*database, path_);
  sum.bind(1, from_unix_ms);
  if (sum.step() != SQLITE_ROW) return trouble(*database, path_);
  return sum.number(0);
}

Result<void> LedgerReader::check() const {
  auto database = open_to_read(path_);
  if (!database) return std::unexpected(database.error());
  Statement check;
  if (check.prepare(*database, "PRAGMA integrity_check(1)") != SQLITE_OK) {
    return trouble(*database, path_);
  }
  if (check.step() != SQLITE_ROW) return trouble(*database, path_);
  const std::string said = check.text(0);
  if (said != "ok") return fail(ErrorCode::io, "ledger " + path_ + ": " + said);
  return {};
}

}  // namespace nl::state
