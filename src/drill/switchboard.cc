#include "drill/switchboard.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "state/ledger.h"

namespace nl::drill {
namespace {

constexpr int kLookEveryMs = 250;
constexpr int kRowsAtOnce = 100;
constexpr const char* kLegend =
    "keys: 1 cut tier 1 | 2 cut tier 2 | l limit on tier 1\n"
    "      n network (both) | r restore | q end and report\n";

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string time_text(std::int64_t unix_ms) {
  return fmt::format("{:%H:%M:%S}", fmt::localtime(static_cast<std::time_t>(unix_ms / 1000)));
}

std::string tier_text(const std::string& tier) {
  if (tier == "frontier") return "tier 1";
  if (tier == "router") return "tier 2";
  return tier == "local" ? "tier 3, this machine" : "nobody";
}

// Keys one by one and unechoed, for as long as it lives; Ctrl-C stays a signal.
class RawKeys {
 public:
  RawKeys() {
    known_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!known_) return;
    termios keys = before_;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  }
  ~RawKeys() {
    if (known_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawKeys(const RawKeys&) = delete;
  RawKeys& operator=(const RawKeys&) = delete;

 private:
  termios before_{};
  bool known_ = false;
};

// The next key, or nothing within a while; `q` when there will be none any more.
std::optional<char> next_key() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, kLookEveryMs) <= 0) return std::nullopt;
  char pressed = 0;
  return read(STDIN_FILENO, &pressed, 1) == 1 ? pressed : 'q';
}

}  // namespace

DrillKey drill_key(char pressed) {
  if (pressed == '1') return DrillKey::cut_1;
  if (pressed == '2') return DrillKey::cut_2;
  if (pressed == 'l') return DrillKey::limit;
  if (pressed == 'n') return DrillKey::network;
  if (pressed == 'r') return DrillKey::restore;
  return pressed == 'q' || pressed == '\x04' ? DrillKey::end : DrillKey::none;
}

std::vector<std::string> live_lines(const state::RequestRow& row, const std::string& tier_before) {
  const std::string time = time_text(row.started_unix_ms + row.duration_ms);
  std::vector<std::string> lines;
  if (row.outcome != "ok") {
    const std::string why = row.attempts.empty() ? row.reason : row.attempts.back().reason;
    lines.push_back(
        fmt::format("{}  BROKEN OFF on {} after {:.1f} s ({}{}{}); the client asks again", time,
                    tier_text(row.tier), static_cast<double>(row.duration_ms) / 1000, row.outcome,
                    why.empty() ? "" : ": ", why));
    return lines;
  }
  if (!tier_before.empty() && row.tier != tier_before) {
    lines.push_back(
        fmt::format("{}  SWITCH {} -> {}: {}", time, tier_text(tier_before), tier_text(row.tier),
                    reason_of(row).empty() ? "the preferred one is back" : reason_of(row)));
  }
  const std::int64_t wait = first_words_ms(row);
  lines.push_back(fmt::format("{}  {} answered: {}/{}{}", time, tier_text(row.tier), row.provider,
                              row.model,
                              wait < 0 ? "" : fmt::format(", first words after {} ms", wait)));
  return lines;
}

std::vector<DrillStep> DrillSwitchboard::run() {
  const RawKeys keys;
  say(kLegend);
  step("everything is up", "nothing");
  bool going = true;
  while (going && !stage_.clouds().stopped()) {
    if (const auto pressed = next_key()) going = press(drill_key(*pressed));
    follow();
    if (!stage_.gateway_runs()) {
      steps_.back().failures.push_back("the gateway has ended:\n" + stage_.gateway_log());
      break;
    }
  }
  return std::move(steps_);
}

bool DrillSwitchboard::press(DrillKey key) {
  switch (key) {
    case DrillKey::cut_1:
      step("tier 1 cut by hand", "tier 1 closes every connection and refuses new ones");
      set(1, CloudMode::dark);
      return true;
    case DrillKey::cut_2:
      step("tier 2 cut by hand", "tier 2 closes every connection and refuses new ones");
      set(2, CloudMode::dark);
      return true;
    case DrillKey::limit:
      step("tier 1 hits its limit", "tier 1 answers 429 with the subscription's 5-hour limit");
      set(1, CloudMode::limit);
      return true;
    case DrillKey::network:
      step("the network cut by hand", "both tiers close every connection and refuse new ones");
      set(1, CloudMode::dark);
      set(2, CloudMode::dark);
      return true;
    case DrillKey::restore:
      step("the clouds come back", "nothing any more");
      set(1, CloudMode::up);
      set(2, CloudMode::up);
      say("          A conversation that was cut in mid-sentence keeps away from that tier for "
          "half "
          "an hour; /clear in Claude Code begins a new one.");
      return true;
    case DrillKey::end:
      return false;
    case DrillKey::none:
      say(kLegend);
      return true;
  }
  return true;
}

void DrillSwitchboard::step(const std::string& name, const std::string& cut) {
  DrillStep made;
  made.name = name;
  made.cut = cut;
  made.from_ms = now_ms();
  say(fmt::format("{}  YOU: {} ({})", time_text(made.from_ms), name, cut));
  steps_.push_back(std::move(made));
}

void DrillSwitchboard::set(int tier, CloudMode mode) {
  if (const auto done = stage_.clouds().set(tier, mode); !done) say(done.error().message);
}

void DrillSwitchboard::follow() {
  const auto rows = state::LedgerReader(stage_.ledger_path()).latest(kRowsAtOnce);
  if (!rows) return;
  const auto known = std::find_if(rows->begin(), rows->end(),
                                  [this](const auto& row) { return row.id == last_id_; });
  for (auto row = std::make_reverse_iterator(known); row != rows->rend(); ++row) {
    for (const std::string& line : live_lines(*row, tier_)) say(line);
    if (row->outcome == "ok") tier_ = row->tier;
    last_id_ = row->id;
  }
}

void DrillSwitchboard::say(const std::string& text) const {
  // The terminal may be gone by now, which must not keep the drill from its report.
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace nl::drill
