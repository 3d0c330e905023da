#include "app/report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <thread>

#include "dialect/json_writer.h"
#include "gateway/spend.h"

namespace nl::app {
namespace {

using Out = std::back_insert_iterator<std::string>;

constexpr int kLookAgain = 12;  // times 100 ms
constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

std::int64_t unix_ms(WallTime wall) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "2026-11-25" -> its local midnight.
std::optional<std::int64_t> date_ms(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number(text.substr(0, 4));
  const auto month = number(text.substr(5, 2));
  const auto day = number(text.substr(8, 2));
  if (!year || !month || !day || *year < 2000 || *month < 1 || *month > 12 || *day < 1) {
    return std::nullopt;
  }
  std::tm broken{};
  broken.tm_year = static_cast<int>(*year) - 1900;
  broken.tm_mon = static_cast<int>(*month) - 1;
  broken.tm_mday = static_cast<int>(*day);
  broken.tm_isdst = -1;
  const std::time_t at = std::mktime(&broken);
  // mktime turns February 30 into March 2.
  if (at == -1 || broken.tm_mday != static_cast<int>(*day)) return std::nullopt;
  return static_cast<std::int64_t>(at) * kSecondMs;
}

std::string duration_text(std::int64_t ms) {
  if (ms >= 10 * kHourMs) return fmt::format("{} h", (ms + kHourMs / 2) / kHourMs);
  if (ms >= kHourMs) {
    const std::int64_t tenths = (ms + kHourMs / 20) / (kHourMs / 10);
    return tenths % 10 == 0 ? fmt::format("{} h", tenths / 10)
                            : fmt::format("{}.{} h", tenths / 10, tenths % 10);
  }
  if (ms >= kMinuteMs) return fmt::format("{} min", (ms + kMinuteMs / 2) / kMinuteMs);
  if (ms >= 10 * kSecondMs) return fmt::format("{} s", ms / kSecondMs);
  if (ms >= kSecondMs) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
  return fmt::format("{} ms", ms);
}

std::string cost_text(std::int64_t micro_usd) {
  if (micro_usd < 0) return "unpriced";
  const double usd = static_cast<double>(micro_usd) / 1e6;
  return micro_usd > 0 && micro_usd < 10'000 ? fmt::format("${:.4f}", usd)
                                             : fmt::format("${:.2f}", usd);
}

std::string plural(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string target_text(const std::string& provider, const std::string& model) {
  return model.empty() ? provider : provider + "/" + model;
}

void write_attempt(Out out, const state::AttemptRow& attempt) {
  fmt::format_to(out, "attempt {} {} (tier {}) at +{}: ", attempt.number,
                 target_text(attempt.provider, attempt.model), attempt.tier,
                 duration_text(attempt.started_ms));
  if (attempt.outcome == "ok") {
    fmt::format_to(out, "answered in {}", duration_text(attempt.duration_ms));
  } else {
    fmt::format_to(out, "{}", attempt.outcome);
    if (attempt.status > 0) fmt::format_to(out, " {}", attempt.status);
    if (!attempt.failure_class.empty()) fmt::format_to(out, ", class {}", attempt.failure_class);
    fmt::format_to(out, " after {}", duration_text(attempt.duration_ms));
  }
  if (attempt.first_content_ms >= 0) {
    fmt::format_to(out, ", first content after {}", duration_text(attempt.first_content_ms));
  }
  if (!attempt.reason.empty()) fmt::format_to(out, ": {}", attempt.reason);
  fmt::format_to(out, "\n");
}

void write_usage(Out out, const state::RequestRow& row) {
  const chat::Usage& usage = row.usage;
  if (!usage.input && !usage.output) return;
  fmt::format_to(out, "tokens    {} in", usage.input_total());
  if (usage.cache_read) fmt::format_to(out, " ({} from cache)", *usage.cache_read);
  fmt::format_to(out, ", {} out{}\n", usage.output.value_or(0),
                 row.usage_estimated ? " (estimated)" : "");
}

// The plan's own notes: what was planned, and after "not " what was left out and why.
void write_plan(Out out, std::string_view note) {
  while (!note.empty()) {
    const std::size_t end = note.find('\n');
    std::string_view line = note.substr(0, end);
    note.remove_prefix(end == std::string_view::npos ? note.size() : end + 1);
    const bool left_out = line.starts_with("not ");
    if (left_out) line.remove_prefix(4);
    if (line.empty()) continue;
    if (line.starts_with("form ")) {
      fmt::format_to(out, "as sent   {}\n", line.substr(5));
      continue;
    }
    fmt::format_to(out, "{}{}\n", left_out ? "left out  " : "planned   ", line);
  }
}

int complain(const Error& error) {
  fmt::print(stderr, "nightlight: {}\n", error.message);
  return 1;
}

}  // namespace

Result<std::int64_t> parse_since(std::string_view since, WallTime now) {
  const std::int64_t today = gateway::local_day_start_unix_ms(now);
  if (since == "today") return today;
  if (since == "yesterday") {
    const WallTime before(std::chrono::milliseconds(today - 1));
    return gateway::local_day_start_unix_ms(before);
  }
  if (const auto date = date_ms(since)) return *date;
  if (!since.empty()) {
    const auto count = number(since.substr(0, since.size() - 1));
    const char unit = since.back();
    const std::int64_t each = unit == 'm'   ? kMinuteMs
                              : unit == 'h' ? kHourMs
                              : unit == 'd' ? kDayMs
                                            : 0;
    if (count && *count <= 100'000 && each > 0) return unix_ms(now) - *count * each;
  }
  return fail(ErrorCode::bad_request,
              "--since is not understood: use today, yesterday, 90m, 24h, 7d or a date as "
              "2026-11-25");
}

std::string report_text(const state::Totals& totals) {
  std::string text;
  Out out(text);
  fmt::format_to(out, "{} dark, {}, {}, {}\n", duration_text(totals.dark_ms),
                 plural(totals.requests, "request"), plural(totals.errors, "error"),
                 cost_text(totals.cost_micro_usd));
  if (totals.requests == 0) return text;
  fmt::format_to(out, "{} answered by another target than the preferred one", totals.failovers);
  if (totals.unpriced > 0) fmt::format_to(out, "; {} without a known price", totals.unpriced);
  fmt::format_to(out, "\n\n{:<9} {:<44} {:>8} {:>12} {:>12} {:>10}\n", "tier", "target", "requests",
                 "tokens in", "tokens out", "cost");
  for (const state::Totals::ByTarget& item : totals.by_target) {
    const std::string target =
        item.provider.empty() ? "nobody" : target_text(item.provider, item.model);
    fmt::format_to(out, "{:<9} {:<44} {:>8} {:>12} {:>12} {:>10}\n", item.tier, target,
                   item.requests, item.input_tokens, item.output_tokens,
                   cost_text(item.cost_micro_usd));
  }
  return text;
}

std::string report_json(const state::Totals& totals, std::int64_t from_unix_ms,
                        std::int64_t to_unix_ms) {
  std::string text;
  dialect::JsonWriter json(text);
  const auto usd = [](std::int64_t micro) { return static_cast<double>(micro) / 1e6; };
  json.begin_object()
      .integer("from_unix_ms", from_unix_ms)
      .integer("to_unix_ms", to_unix_ms)
      .integer("dark_ms", totals.dark_ms)
      .integer("requests", totals.requests)
      .integer("errors", totals.errors)
      .integer("failovers", totals.failovers)
      .number("cost_usd", usd(totals.cost_micro_usd))
      .integer("unpriced", totals.unpriced)
      .integer("input_tokens", totals.input_tokens)
      .integer("output_tokens", totals.output_tokens);
  json.key("by_target").begin_array();
  for (const state::Totals::ByTarget& item : totals.by_target) {
    json.begin_object()
        .string("tier", item.tier)
        .string("provider", item.provider)
        .string("model", item.model)
        .integer("requests", item.requests)
        .integer("input_tokens", item.input_tokens)
        .integer("output_tokens", item.output_tokens)
        .number("cost_usd", usd(item.cost_micro_usd))
        .end_object();
  }
  json.end_array().end_object();
  return text + "\n";
}

std::string why_text(const state::RequestRow& row) {
  std::string text;
  Out out(text);
  const std::time_t started = static_cast<std::time_t>(row.started_unix_ms / kSecondMs);
  fmt::format_to(out, "request   {}, {:%Y-%m-%d %H:%M:%S}, took {}\n", row.id,
                 fmt::localtime(started), duration_text(row.duration_ms));
  fmt::format_to(out, "asked     {} as {}{}", row.model_asked, row.dialect,
                 row.stream ? ", streamed" : "");
  if (!row.client.empty()) fmt::format_to(out, ", by {}", row.client);
  if (!row.label.empty()) fmt::format_to(out, ", task {}", row.label);
  fmt::format_to(out, "\n");
  if (!row.preferred.empty()) fmt::format_to(out, "preferred {}\n", row.preferred);
  write_plan(out, row.plan_note);
  if (row.attempts.empty()) fmt::format_to(out, "attempt   none was made\n");
  for (const state::AttemptRow& attempt : row.attempts) write_attempt(out, attempt);
  if (row.provider.empty()) {
    fmt::format_to(out, "answered  by nobody: {}", row.outcome);
  } else {
    fmt::format_to(out, "answered  by {} (tier {}): {}", target_text(row.provider, row.model),
                   row.tier, row.outcome);
  }
  if (row.status > 0) fmt::format_to(out, ", the client was told {}", row.status);
  fmt::format_to(out, "\n");
  if (!row.reason.empty()) fmt::format_to(out, "because   {}\n", row.reason);
  write_usage(out, row);
  if (!row.provider.empty()) {
    fmt::format_to(out, "cost      {}{}\n", cost_text(row.cost_micro_usd),
                   row.paid_failover ? ", paid failover" : "");
  }
  return text;
}

int report(const CliOptions& options, const config::Config& config) {
  const WallTime now = SystemClock().wall();
  const auto from = parse_since(options.subject, now);
  if (!from) {
    complain(from.error());
    return 2;
  }
  const std::int64_t to = unix_ms(now);
  auto totals = state::LedgerReader(config.ledger_path()).totals(*from, to);
  // No ledger yet: nothing has been asked.
  if (!totals && totals.error().code == ErrorCode::not_found) totals = state::Totals();
  if (!totals) return complain(totals.error());
  const std::string text =
      options.form == Form::json ? report_json(*totals, *from, to) : report_text(*totals);
  fmt::print("{}", text);
  return 0;
}

int why(const CliOptions& options, const config::Config& config) {
  const state::LedgerReader reader(config.ledger_path());
  auto row = reader.request(options.subject);
  // A request that has just ended is written within a second.
  for (int i = 0; i < kLookAgain && !row && row.error().code == ErrorCode::not_found; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    row = reader.request(options.subject);
  }
  if (!row) return complain(row.error());
  fmt::print("{}", why_text(*row));
  return 0;
}

}  // namespace nl::app
