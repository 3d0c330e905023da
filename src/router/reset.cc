#include "router/reset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace nl::router {

namespace {

using std::chrono::seconds;
using Days = std::chrono::sys_days;

constexpr std::chrono::hours kBareMax{1};
// No real window is longer; more is a clock or a bug.
constexpr std::chrono::hours kStatedMax{24 * 62};

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value <= 0) return std::nullopt;
  return value;
}

std::optional<Duration> in_seconds(double value) {
  if (!(value > 0)) return std::nullopt;
  const double capped = std::min(value, std::chrono::duration<double>(kStatedMax).count());
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(capped));
}

std::optional<Duration> until(WallTime then, WallTime wall) {
  return in_seconds(std::chrono::duration<double>(then - wall).count());
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Reads exactly `count` digits off the front.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc() || end != text.data() + count || value < 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

struct DayTime {
  int year = 0;
  int month = 0;
  int day = 0;
};

// HH:MM:SS off the front, as seconds of the day.
std::optional<seconds> clock_time(std::string_view& text) {
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ":")) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !skip(text, ":")) return std::nullopt;
  const auto second = digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return seconds(*hour * 3600 + *minute * 60 + *second);
}

std::optional<WallTime> at(DayTime date, seconds time) {
  const std::chrono::year_month_day day(std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day)));
  if (!day.ok()) return std::nullopt;
  return WallTime(Days(day)) + time;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"; the two obsolete forms are no statement.
std::optional<WallTime> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(3, 2) != ", ") return std::nullopt;
  text.remove_prefix(5);
  DayTime date;
  const auto day = digits(text, 2);
  if (!day || !skip(text, " ")) return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3));
  if (month == kMonths.end()) return std::nullopt;
  text.remove_prefix(3);
  if (!skip(text, " ")) return std::nullopt;
  const auto year = digits(text, 4);
  if (!year || !skip(text, " ")) return std::nullopt;
  date = {*year, static_cast<int>(month - kMonths.begin()) + 1, *day};
  const auto time = clock_time(text);
  if (!time || text != " GMT") return std::nullopt;
  return at(date, *time);
}

std::optional<Duration> longer(std::optional<Duration> a, std::optional<Duration> b) {
  if (!a) return b;
  if (!b) return a;
  return std::max(*a, *b);
}

// anthropic-ratelimit-KIND-{remaining,reset}: of the kinds that are used up, the latest reset.
std::optional<Duration> anthropic_reset(const Seen& seen, WallTime wall) {
  std::optional<Duration> found;
  for (const char* kind : {"requests", "tokens", "input-tokens", "output-tokens"}) {
    const std::string prefix = std::string("anthropic-ratelimit-") + kind;
    if (trimmed(header(seen, prefix + "-remaining")) != "0") continue;
    const auto reset = parse_rfc3339(header(seen, prefix + "-reset"));
    if (reset) found = longer(found, until(*reset, wall));
  }
  return found;
}

// x-ratelimit-{remaining,reset}-KIND with durations;
// OpenRouter has a bare x-ratelimit-reset in epoch milliseconds.
std::optional<Duration> openai_reset(const Seen& seen, WallTime wall) {
  std::optional<Duration> found;
  for (const char* kind : {"requests", "tokens"}) {
    const std::string_view left = header(seen, std::string("x-ratelimit-remaining-") + kind);
    if (!left.empty() && trimmed(left) != "0") continue;
    const std::string_view reset = header(seen, std::string("x-ratelimit-reset-") + kind);
    found = longer(found, parse_duration(reset));
  }
  if (trimmed(header(seen, "x-ratelimit-remaining")) == "0") {
    const auto epoch_ms = number(trimmed(header(seen, "x-ratelimit-reset")));
    if (epoch_ms && *epoch_ms > 1e12 && *epoch_ms < 1e14) {
      const WallTime reset{std::chrono::milliseconds(static_cast<std::int64_t>(*epoch_ms))};
      found = longer(found, until(reset, wall));
    }
  }
  return found;
}

// "... try again in 1.2s", "Please retry in 46.5s."
std::optional<Duration> reset_in_words(std::string_view message) {
  for (const std::string_view phrase : {"try again in ", "retry in "}) {
    const std::size_t found = message.find(phrase);
    if (found == std::string_view::npos) continue;
    std::string_view rest = message.substr(found + phrase.size());
    std::size_t length = 0;
    while (length < rest.size() && length < 24 && rest[length] != ' ' && rest[length] != ',') {
      ++length;
    }
    rest = rest.substr(0, length);
    while (!rest.empty() && rest.back() == '.') rest.remove_suffix(1);
    if (const auto duration = parse_duration(rest)) return duration;
  }
  return std::nullopt;
}

std::optional<Duration> bare_reset(const Seen& seen, WallTime wall) {
  if (const auto ms = number(trimmed(header(seen, "retry-after-ms")))) {
    return in_seconds(*ms / 1000);
  }
  const auto stated = parse_retry_after(header(seen, "retry-after"), wall);
  return stated ? stated : reset_in_words(seen.message);
}

std::optional<Duration> structured_reset(const Seen& seen, WallTime wall) {
  if (seen.resets_in_s && *seen.resets_in_s > 0) {
    return in_seconds(static_cast<double>(*seen.resets_in_s));
  }
  if (const auto reset = anthropic_reset(seen, wall)) return reset;
  return openai_reset(seen, wall);
}

}  // namespace

std::string_view header(const Seen& seen, std::string_view name) {
  for (const auto& [key, value] : seen.headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<Duration> parse_retry_after(std::string_view value, WallTime wall) {
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  if (const auto plain = number(value)) return in_seconds(*plain);
  const auto date = parse_http_date(value);
  return date ? until(*date, wall) : std::nullopt;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  text = trimmed(text);
  const auto year = digits(text, 4);
  if (!year || !skip(text, "-")) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !skip(text, "-")) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || (!skip(text, "T") && !skip(text, "t") && !skip(text, " "))) return std::nullopt;
  const auto time = clock_time(text);
  if (!time) return std::nullopt;
  if (skip(text, ".")) {
    // A fraction of a second is below what any cooldown needs.
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  }
  const auto local = at({*year, *month, *day}, *time);
  if (!local) return std::nullopt;
  if (text == "Z" || text == "z") return local;
  const bool east = text.starts_with('+');
  if (!east && !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = digits(text, 2);
  if (!hours || !skip(text, ":")) return std::nullopt;
  const auto minutes = digits(text, 2);
  if (!minutes || !text.empty()) return std::nullopt;
  const seconds offset(*hours * 3600 + *minutes * 60);
  return east ? *local - offset : *local + offset;
}

std::optional<Duration> parse_duration(std::string_view value) {
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  double total = 0;
  while (!value.empty()) {
    double amount = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), amount,
                                              std::chars_format::fixed);
    if (error != std::errc() || amount < 0) return std::nullopt;
    value.remove_prefix(static_cast<std::size_t>(end - value.data()));
    if (skip(value, "ms")) {
      total += amount / 1000;
    } else if (skip(value, "s")) {
      total += amount;
    } else if (skip(value, "m")) {
      total += amount * 60;
    } else if (skip(value, "h")) {
      total += amount * 3600;
    } else if (skip(value, "d")) {
      total += amount * 86400;
    } else {
      return std::nullopt;
    }
  }
  return in_seconds(total);
}

std::optional<Duration> unified_reset(const Seen& seen, WallTime wall) {
  const auto epoch = number(trimmed(header(seen, "anthropic-ratelimit-unified-reset")));
  if (!epoch || *epoch > 1e11) return std::nullopt;
  return until(WallTime(seconds(static_cast<std::int64_t>(*epoch))), wall);
}

std::optional<StatedReset> stated_reset(const Seen& seen, WallTime wall) {
  if (header(seen, "anthropic-ratelimit-unified-status") == "rejected") {
    if (const auto reset = unified_reset(seen, wall)) return StatedReset{*reset, true};
  }
  // A retry-after within its cap is the vendor's precise word; token buckets' reset headers tell
  // when they are full again, which is later than needed.
  const auto bare = bare_reset(seen, wall);
  const auto structured = structured_reset(seen, wall);
  if (seen.resets_in_s && structured) return StatedReset{*structured, true};
  if (bare && *bare <= kBareMax) return StatedReset{*bare, false};
  if (structured) return StatedReset{*structured, true};
  if (bare) return StatedReset{kBareMax, false};
  return std::nullopt;
}

Duration until_next_month(WallTime wall) {
  const Days today = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day date(today);
  const auto next = std::chrono::year_month(date.year(), date.month()) + std::chrono::months(1);
  const Days first(next / std::chrono::day(1));
  return std::chrono::duration_cast<Duration>(WallTime(first) - wall);
}

Duration until_pacific_midnight(WallTime wall) {
  constexpr std::chrono::hours kOffset{8};
  const WallTime pacific = wall - kOffset;
  const Days tomorrow = std::chrono::floor<std::chrono::days>(pacific) + std::chrono::days(1);
  return std::chrono::duration_cast<Duration>(WallTime(tomorrow) - pacific);
}

}  // namespace nl::router
