#include "gateway/tally.h"

#include <algorithm>

#include "gateway/spend.h"

namespace nl::gateway {
namespace {

constexpr std::size_t kProvidersMax = 64;

// Answered elsewhere because of what this one request is, which says nothing about the provider.
bool is_for_this_request_alone(const state::RequestRow& row) {
  return std::any_of(row.attempts.begin(), row.attempts.end(), [](const auto& attempt) {
    return attempt.failure_class == "request" || attempt.failure_class == "capability";
  });
}

}  // namespace

bool moved(const state::RequestRow& row) {
  const std::string_view preferred = row.preferred;
  const bool same = preferred.size() == row.provider.size() + 1 + row.model.size() &&
                    preferred.starts_with(row.provider) && preferred[row.provider.size()] == '/' &&
                    preferred.ends_with(row.model);
  return row.outcome == "ok" && !same;
}

Tally::Tally(const Clock& clock) : clock_(clock), day_(local_day(clock.wall())) {}

void Tally::add_earlier(const state::Totals& today) {
  const std::lock_guard<std::mutex> lock(mutex_);
  numbers_.requests += today.requests;
  numbers_.errors += today.errors;
  numbers_.failovers += today.failovers;
  numbers_.cost_micro_usd += today.cost_micro_usd;
}

void Tally::roll() {
  const std::int64_t today = local_day(clock_.wall());
  if (today == day_) return;
  day_ = today;
  numbers_.requests = numbers_.errors = numbers_.failovers = numbers_.cost_micro_usd = 0;
}

void Tally::count(const state::RequestRow& row) {
  const std::lock_guard<std::mutex> lock(mutex_);
  roll();
  ++numbers_.requests;
  if (row.cost_micro_usd > 0) numbers_.cost_micro_usd += row.cost_micro_usd;
  if (row.outcome == "ok") {
    const bool has_moved = moved(row);
    numbers_.tier = row.tier;
    numbers_.provider = row.provider;
    numbers_.model = row.model;
    numbers_.reason = has_moved ? std::string_view(row.reason) : std::string_view();
    if (has_moved) ++numbers_.failovers;
    note_answer(row);
  } else if (row.outcome != "client_gone" && (row.status >= 500 || row.status == 200)) {
    ++numbers_.errors;
  }
}

void Tally::note_answer(const state::RequestRow& row) {
  const auto preferred = std::string_view(row.preferred).substr(0, row.preferred.find('/'));
  if (preferred.empty() || is_for_this_request_alone(row)) return;
  auto at = answering_.find(preferred);
  if (at == answering_.end()) {
    if (answering_.size() >= kProvidersMax) return;
    at = answering_.try_emplace(std::string(preferred)).first;
    at->second.preferred = preferred;
  }
  // Assigned in place: this runs for each request, and nearly always nothing changes.
  Answering& now = at->second;
  now.tier = row.tier;
  now.provider = row.provider;
  now.model = row.model;
  now.reason = preferred == row.provider ? std::string_view() : std::string_view(row.reason);
}

std::vector<Answering> Tally::answering() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Answering> all;
  for (const auto& [preferred, one] : answering_) all.push_back(one);
  return all;
}

TallyNumbers Tally::numbers() {
  const std::lock_guard<std::mutex> lock(mutex_);
  roll();
  return numbers_;
}

void Tally::keep(const state::RequestRow& row, std::string compacted) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (rows_.size() == kRowsKept) rows_.pop_front();
  rows_.push_back({row, std::move(compacted)});
}

std::optional<KeptRow> Tally::kept(std::string_view id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto at = std::find_if(rows_.rbegin(), rows_.rend(),
                               [id](const KeptRow& one) { return one.row.id == id; });
  if (at == rows_.rend()) return std::nullopt;
  return *at;
}

}  // namespace nl::gateway
