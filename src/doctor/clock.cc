#include "doctor/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace nl::doctor {
namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && text[0] != '-';
  return whole ? std::optional(value) : std::nullopt;
}

seconds off_by(const ClockReading& reading) {
  return std::chrono::duration_cast<seconds>(reading.ours - reading.theirs);
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  // "Wed, 25 Nov 2026 23:30:00 GMT"
  const bool shaped = text.size() == 29 && text.substr(3, 2) == ", " && text[7] == ' ' &&
                      text[11] == ' ' && text[16] == ' ' && text[19] == ':' && text[22] == ':' &&
                      text.substr(25) == " GMT";
  if (!shaped) return std::nullopt;
  const auto day = digits(text.substr(5, 2));
  const auto year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2));
  const auto minute = digits(text.substr(20, 2));
  const auto second = digits(text.substr(23, 2));
  const auto* const month = std::ranges::find(kMonths, text.substr(8, 3));
  if (!day || !year || !hour || !minute || !second || month == kMonths.end()) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         seconds(*second);
}

std::string span_text(seconds span) {
  const auto count = std::abs(span.count());
  if (count >= 48 * 3600) return fmt::format("{} days", (count + 43'200) / 86'400);
  if (count >= 7200) return fmt::format("{} h", (count + 1800) / 3600);
  if (count >= 120) return fmt::format("{} min", (count + 30) / 60);
  return fmt::format("{} s", count);
}

Findings check_clock(const std::vector<ClockReading>& readings) {
  if (readings.empty()) return {};
  // One wrong clock among several is somebody else's.
  const auto nearest = std::ranges::min_element(
      readings, {}, [](const ClockReading& reading) { return std::chrono::abs(off_by(reading)); });
  const seconds off = off_by(*nearest);
  if (std::chrono::abs(off) < kClockWarning) return {};
  Finding finding =
      found(Kind::clock_off,
            fmt::format("this machine's clock is {} {} of what {} says{}", span_text(off),
                        off.count() > 0 ? "ahead" : "behind", nearest->host,
                        readings.size() > 1 ? " (the others differ more)" : ""));
  if (std::chrono::abs(off) < kClockFault) finding.severity = Severity::warning;
  return {std::move(finding)};
}

}  // namespace nl::doctor
