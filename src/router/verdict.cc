#include "router/verdict.h"

#include <algorithm>
#include <cassert>

#include "router/reset.h"
#include "router/verdict_table.h"

namespace nl::router {

namespace {

constexpr std::chrono::seconds kBriefMax{60};
constexpr std::chrono::hours kHour{1};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// `message` is in lower case.
bool matches(const Row& row, const Seen& seen, std::string_view message) {
  if ((row.vendors & vendor_bit(seen.vendor)) == 0) return false;
  if (row.status == kNoStatus) {
    if (seen.status != 0) return false;
  } else if (row.status_to != 0) {
    if (seen.status < row.status || seen.status > row.status_to) return false;
  } else if (row.status != 0 && row.status != seen.status) {
    return false;
  }
  if (!row.kind.empty() && !same(row.kind, seen.type) && !same(row.kind, seen.error_code)) {
    return false;
  }
  if (!row.text.empty() && message.find(row.text) == std::string_view::npos) return false;
  if (!row.also.empty() && message.find(row.also) == std::string_view::npos) return false;
  if (!row.header.empty() && header(seen, row.header) != row.value) return false;
  if (!row.claim.empty() &&
      !header(seen, "anthropic-ratelimit-unified-representative-claim").starts_with(row.claim)) {
    return false;
  }
  return row.source.empty() || row.source == seen.limit_source;
}

void cool(Verdict& verdict, Cooling cooling, const std::optional<StatedReset>& stated,
          WallTime wall) {
  const auto take = [&verdict](const StatedReset& reset) {
    verdict.cooldown = reset.after;
    verdict.structured_reset = reset.structured;
  };
  switch (cooling) {
    case Cooling::none:
      return;
    case Cooling::brief:
      if (stated) verdict.cooldown = std::min<Duration>(stated->after, kBriefMax);
      return;
    case Cooling::stated:
      if (stated) take(*stated);
      return;
    case Cooling::stated_or_hour:
      take(stated.value_or(StatedReset{kHour, false}));
      return;
    case Cooling::stated_or_day:
      take(stated.value_or(StatedReset{until_pacific_midnight(wall), true}));
      return;
    case Cooling::hour:
      verdict.cooldown = kHour;
      return;
    case Cooling::month:
      take({until_next_month(wall), true});
      return;
  }
}

Verdict from_row(const Row& row, const Seen& seen, WallTime wall) {
  Verdict verdict;
  verdict.failure = row.failure;
  verdict.scope = row.scope;
  verdict.action = row.action;
  if (seen.status != 0) verdict.reason = std::to_string(seen.status) + " ";
  verdict.reason += row.reason;
  if (row.ours_if_translated && seen.translated) {
    verdict.failure = FailureClass::capability;
    verdict.action = Action::other_model;
    verdict.reason += " (translated)";
  }
  if (row.cooling != Cooling::none) cool(verdict, row.cooling, stated_reset(seen, wall), wall);
  return verdict;
}

// HTML or a redirect where JSON was due: somebody stands between us and the provider.
bool is_portal(const Seen& seen) {
  if (seen.status == 511 || (seen.status >= 300 && seen.status < 400)) return true;
  if (lowered(header(seen, "content-type")).find("html") != std::string::npos) return true;
  const std::string message = lowered(seen.message);
  return message.find("html") != std::string::npos || message.find("redirect") != std::string::npos;
}

// The fallback when the vendor said something that no row knows.
Verdict unknown(const Seen& seen, WallTime wall) {
  Verdict verdict = from_row(transport_row(seen.code), seen, wall);
  verdict.known = false;
  return verdict;
}

Verdict from_rows(std::span<const Row> rows, const Seen& seen, WallTime wall) {
  const std::string message = lowered(seen.message);
  for (const Row& row : rows) {
    if (matches(row, seen, message)) return from_row(row, seen, wall);
  }
  return unknown(seen, wall);
}

Verdict decide_local(const Seen& seen, WallTime wall) {
  Verdict verdict = seen.code == ErrorCode::status || seen.code == ErrorCode::stream_error
                        ? from_rows(local_rows(), seen, wall)
                        : from_row(transport_row(seen.code), seen, wall);
  switch (verdict.failure) {
    case FailureClass::network:
    case FailureClass::provider:
    case FailureClass::quota:
    case FailureClass::credential:
      verdict.failure = FailureClass::local;
      break;
    case FailureClass::request:
    case FailureClass::capability:
    case FailureClass::local:
      break;
  }
  verdict.scope = Scope::attempt;
  verdict.cooldown.reset();
  // What is missing on this machine is for the person to know.
  if (seen.code == ErrorCode::config && !seen.message.empty()) verdict.reason = seen.message;
  return verdict;
}

}  // namespace

const char* name(FailureClass value) {
  switch (value) {
    case FailureClass::network:
      return "network";
    case FailureClass::provider:
      return "provider";
    case FailureClass::quota:
      return "quota";
    case FailureClass::credential:
      return "credential";
    case FailureClass::request:
      return "request";
    case FailureClass::capability:
      return "capability";
    case FailureClass::local:
      return "local";
  }
  return "unknown";
}

Verdict decide(const Seen& seen, WallTime wall) {
  if (seen.local) return decide_local(seen, wall);
  if (seen.code == ErrorCode::not_an_answer && is_portal(seen)) {
    Verdict verdict = from_row(transport_row(seen.code), seen, wall);
    verdict.failure = FailureClass::network;
    verdict.scope = Scope::provider;
    return verdict;
  }
  if (seen.code != ErrorCode::status && seen.code != ErrorCode::stream_error) {
    return from_row(transport_row(seen.code), seen, wall);
  }
  return from_rows(cloud_rows(), seen, wall);
}

std::optional<Verdict> decide_after_success(const Seen& seen, WallTime wall) {
  if (seen.vendor != Vendor::anthropic) return std::nullopt;
  if (header(seen, "anthropic-ratelimit-unified-status") != "rejected") return std::nullopt;
  Seen limit = seen;
  limit.code = ErrorCode::status;
  limit.status = 429;
  limit.type = {};
  limit.error_code = {};
  limit.message = {};
  Verdict verdict = decide(limit, wall);
  assert(verdict.failure == FailureClass::quota);
  verdict.reason = "subscription used up, answered at extra cost";
  verdict.probe = Probe::never;
  return verdict;
}

}  // namespace nl::router
