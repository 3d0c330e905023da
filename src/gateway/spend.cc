#include "gateway/spend.h"

#include <chrono>
#include <ctime>
#include <limits>

namespace nl::gateway {
namespace {

std::tm local_time(WallTime wall) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(wall);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

}  // namespace

std::int64_t local_day(WallTime wall) {
  // Asked for every request; a day begins with a minute everywhere.
  thread_local std::int64_t known_minute = std::numeric_limits<std::int64_t>::min();
  thread_local std::int64_t known_day = 0;
  const std::int64_t minute =
      std::chrono::floor<std::chrono::minutes>(wall.time_since_epoch()).count();
  if (minute != known_minute) {
    const std::tm parts = local_time(wall);
    known_minute = minute;
    known_day = static_cast<std::int64_t>(parts.tm_year) * 366 + parts.tm_yday;
  }
  return known_day;
}

std::int64_t local_day_start_unix_ms(WallTime wall) {
  std::tm parts = local_time(wall);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&parts)) * 1000;
}

SpendGuard::SpendGuard(const Clock& clock, std::int64_t start_micro_usd)
    : clock_(clock), spent_(start_micro_usd), day_(local_day(clock.wall())) {}

void SpendGuard::roll() {
  const std::int64_t today = local_day(clock_.wall());
  std::int64_t known = day_.load();
  if (known != today && day_.compare_exchange_strong(known, today)) spent_.store(0);
}

std::int64_t SpendGuard::spent() {
  roll();
  return spent_.load();
}

SpendGuard::Held SpendGuard::reserve(std::int64_t micro_usd) {
  if (micro_usd == 0) return {};
  roll();
  const std::int64_t today = day_.load();
  spent_.fetch_add(micro_usd);
  return {micro_usd, today};
}

void SpendGuard::settle(const Held& held, std::int64_t paid_micro_usd) {
  if (held.micro_usd == 0 && paid_micro_usd == 0) return;
  roll();
  const std::int64_t still_held = held.day == day_.load() ? held.micro_usd : 0;
  spent_.fetch_add(paid_micro_usd - still_held);
}

}  // namespace nl::gateway
