#include "state/ledger_schema.h"

#include <optional>
#include <string_view>

namespace nl::state {

const char* const kCreateTables = R"(
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  started_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  dialect TEXT NOT NULL,
  client TEXT NOT NULL,
  conversation TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  label TEXT NOT NULL,
  stream INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  tier TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  preferred TEXT NOT NULL,
  reason TEXT NOT NULL,
  plan_note TEXT NOT NULL,
  input_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  output_tokens INTEGER,
  reasoning_tokens INTEGER,
  usage_estimated INTEGER NOT NULL,
  cost_micro_usd INTEGER,
  paid_failover INTEGER NOT NULL,
  only_attempt_status INTEGER,
  only_attempt_started_ms INTEGER,
  only_attempt_duration_ms INTEGER,
  only_attempt_first_content_ms INTEGER
);
CREATE INDEX requests_by_time ON requests (started_ms);
CREATE INDEX requests_paid ON requests (started_ms, cost_micro_usd) WHERE paid_failover = 1;
CREATE TABLE kept_attempts (
  request INTEGER NOT NULL REFERENCES requests (id),
  place INTEGER NOT NULL,
  number INTEGER NOT NULL,
  tier TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  failure_class TEXT NOT NULL,
  reason TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_content_ms INTEGER,
  input_tokens INTEGER,
  cache_read_tokens INTEGER,
  cache_write_tokens INTEGER,
  output_tokens INTEGER,
  reasoning_tokens INTEGER,
  cost_micro_usd INTEGER,
  PRIMARY KEY (request, place)
) WITHOUT ROWID;
)";

// Nearly every request is one attempt that went well: its own row says all there is to say about
// the attempt, which saves half of the writing. The view shows both kinds alike.
const char* const kCreateAttemptsView = R"(
CREATE VIEW attempts AS
  SELECT * FROM kept_attempts UNION ALL
  SELECT id, 0, 1, tier, provider, model, 'ok', only_attempt_status, '', '',
    only_attempt_started_ms, only_attempt_duration_ms, only_attempt_first_content_ms,
    input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost_micro_usd
  FROM requests WHERE only_attempt_status IS NOT NULL;
PRAGMA user_version = 2;
)";

const char* const kUpgradeFrom1 = R"(
ALTER TABLE requests ADD COLUMN only_attempt_status INTEGER;
ALTER TABLE requests ADD COLUMN only_attempt_started_ms INTEGER;
ALTER TABLE requests ADD COLUMN only_attempt_duration_ms INTEGER;
ALTER TABLE requests ADD COLUMN only_attempt_first_content_ms INTEGER;
ALTER TABLE attempts RENAME TO kept_attempts;
)";

const char* const kInsertAttempt = R"(
INSERT INTO kept_attempts (request, place, number, tier, provider, model, outcome, status,
  failure_class, reason, started_ms, duration_ms, first_content_ms,
  input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
  cost_micro_usd)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))";

const char* const kSelectRequest = R"(
SELECT id, request_id, started_ms, duration_ms, dialect, client, conversation,
  model_asked, label, stream, outcome, status, tier, provider, model, preferred, reason, plan_note,
  input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
  usage_estimated, cost_micro_usd, paid_failover FROM requests )";

const char* const kSelectAttempts = R"(
SELECT number, tier, provider, model, outcome, status, failure_class, reason, started_ms,
  duration_ms, first_content_ms, input_tokens, cache_read_tokens, cache_write_tokens,
  output_tokens, reasoning_tokens, cost_micro_usd
FROM attempts WHERE request = ? ORDER BY place)";

namespace {

// Every text is bounded: the ledger keeps facts, and a peer must not be able to fill the disk.
constexpr std::size_t kTextMax = 4096;
constexpr int kRequestPlaces = 29;  // what bind_request() binds

std::string_view bounded(std::string_view text) {
  if (text.size() <= kTextMax) return text;
  std::size_t end = kTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Binds values in the order of the columns.
class Binder {
 public:
  // `place`: of the column before the first.
  explicit Binder(Statement& statement, int place = 0) : statement_(statement), place_(place) {}

  Binder& text(std::string_view value) {
    statement_.bind(++place_, bounded(value));
    return *this;
  }
  Binder& number(std::int64_t value) {
    statement_.bind(++place_, value);
    return *this;
  }
  Binder& known(std::optional<std::int64_t> value) {
    ++place_;
    if (value) {
      statement_.bind(place_, *value);
    } else {
      statement_.bind_null(place_);
    }
    return *this;
  }
  // -1 stands for unknown.
  Binder& not_negative(std::int64_t value) {
    return known(value < 0 ? std::nullopt : std::optional(value));
  }
  Binder& usage(const chat::Usage& usage) {
    return known(usage.input)
        .known(usage.cache_read)
        .known(usage.cache_write)
        .known(usage.output)
        .known(usage.reasoning);
  }

  Binder& only_attempt(const AttemptRow* attempt) {
    if (attempt == nullptr) return nothing().nothing().nothing().nothing();
    return number(attempt->status)
        .number(attempt->started_ms)
        .number(attempt->duration_ms)
        .not_negative(attempt->first_content_ms);
  }

 private:
  Binder& nothing() { return known(std::nullopt); }

  Statement& statement_;
  int place_;
};

// Reads values in the order of the columns.
class Columns {
 public:
  Columns(const Statement& statement, int first) : statement_(statement), column_(first) {}

  std::string text() { return statement_.text(column_++); }
  std::int64_t number() { return statement_.number(column_++); }
  int small() { return static_cast<int>(number()); }
  bool flag() { return number() != 0; }
  std::optional<std::int64_t> known() {
    const int column = column_++;
    if (statement_.is_null(column)) return std::nullopt;
    return statement_.number(column);
  }
  chat::Usage usage() {
    chat::Usage usage;
    usage.input = known();
    usage.cache_read = known();
    usage.cache_write = known();
    usage.output = known();
    usage.reasoning = known();
    return usage;
  }

 private:
  const Statement& statement_;
  int column_;
};

}  // namespace

std::string insert_requests(std::size_t rows) {
  std::string sql = R"(
INSERT INTO requests (request_id, started_ms, duration_ms, dialect, client, conversation,
  model_asked, label, stream, outcome, status, tier, provider, model, preferred, reason, plan_note,
  input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
  usage_estimated, cost_micro_usd, paid_failover, only_attempt_status, only_attempt_started_ms,
  only_attempt_duration_ms, only_attempt_first_content_ms)
VALUES )";
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? "(?" : ", (?";
    for (int place = 1; place < kRequestPlaces; ++place) sql += ", ?";
    sql += ")";
  }
  return sql + " ON CONFLICT (request_id) DO NOTHING";
}

const AttemptRow* only_attempt(const RequestRow& row) {
  if (row.attempts.size() != 1) return nullptr;
  const AttemptRow& only = row.attempts.front();
  const bool told = only.number == 1 && only.outcome == "ok" && only.failure_class.empty() &&
                    only.reason.empty() && only.tier == row.tier && only.provider == row.provider &&
                    only.model == row.model && only.usage == row.usage &&
                    only.cost_micro_usd == row.cost_micro_usd;
  return told ? &only : nullptr;
}

void bind_request(Statement& statement, std::size_t index, const RequestRow& row) {
  Binder(statement, static_cast<int>(index) * kRequestPlaces)
      .text(row.id)
      .number(row.started_unix_ms)
      .number(row.duration_ms)
      .text(row.dialect)
      .text(row.client)
      .text(row.conversation)
      .text(row.model_asked)
      .text(row.label)
      .number(row.stream ? 1 : 0)
      .text(row.outcome)
      .number(row.status)
      .text(row.tier)
      .text(row.provider)
      .text(row.model)
      .text(row.preferred)
      .text(row.reason)
      .text(row.plan_note)
      .usage(row.usage)
      .number(row.usage_estimated ? 1 : 0)
      .not_negative(row.cost_micro_usd)
      .number(row.paid_failover ? 1 : 0)
      .only_attempt(only_attempt(row));
}

void bind_attempt(Statement& statement, std::int64_t request, std::int64_t place,
                  const AttemptRow& row) {
  Binder(statement)
      .number(request)
      .number(place)
      .number(row.number)
      .text(row.tier)
      .text(row.provider)
      .text(row.model)
      .text(row.outcome)
      .number(row.status)
      .text(row.failure_class)
      .text(row.reason)
      .number(row.started_ms)
      .number(row.duration_ms)
      .not_negative(row.first_content_ms)
      .usage(row.usage)
      .not_negative(row.cost_micro_usd);
}

RequestRow read_request(const Statement& statement) {
  Columns columns(statement, 1);
  RequestRow row;
  row.id = columns.text();
  row.started_unix_ms = columns.number();
  row.duration_ms = columns.number();
  row.dialect = columns.text();
  row.client = columns.text();
  row.conversation = columns.text();
  row.model_asked = columns.text();
  row.label = columns.text();
  row.stream = columns.flag();
  row.outcome = columns.text();
  row.status = columns.small();
  row.tier = columns.text();
  row.provider = columns.text();
  row.model = columns.text();
  row.preferred = columns.text();
  row.reason = columns.text();
  row.plan_note = columns.text();
  row.usage = columns.usage();
  row.usage_estimated = columns.flag();
  row.cost_micro_usd = columns.known().value_or(-1);
  row.paid_failover = columns.flag();
  return row;
}

AttemptRow read_attempt(const Statement& statement) {
  Columns columns(statement, 0);
  AttemptRow row;
  row.number = columns.small();
  row.tier = columns.text();
  row.provider = columns.text();
  row.model = columns.text();
  row.outcome = columns.text();
  row.status = columns.small();
  row.failure_class = columns.text();
  row.reason = columns.text();
  row.started_ms = columns.number();
  row.duration_ms = columns.number();
  row.first_content_ms = columns.known().value_or(-1);
  row.usage = columns.usage();
  row.cost_micro_usd = columns.known().value_or(-1);
  return row;
}

}  // namespace nl::state
