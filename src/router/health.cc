#include "router/health.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "base/random.h"
#include "router/health_keys.h"
#include "router/lru.h"

namespace nl::router {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kEntriesMax = 4096;
constexpr std::size_t kProvidersMax = 256;
constexpr seconds kOfflineWindow{30};
constexpr std::size_t kOfflineProviders = 2;
constexpr seconds kProbeFirst{5};
constexpr seconds kProbeMax{60};
constexpr seconds kRejectionMemory{60};
// Long enough for a client's own resume, short enough to come back to a cloud that was cut once.
constexpr minutes kDemotion{5};
// A long hold is tested once an hour: the person may have paid in the meantime.
constexpr hours kHoldProbe{1};
constexpr minutes kClientKeyHold{5};
constexpr hours kConfiguredKeyHold{24};
// A rate limit that states no reset.
constexpr seconds kThrottleFirst{2};
constexpr seconds kThrottleMax{60};

struct Entry {
  std::string provider;
  std::string model;  // empty = the whole key or provider
  Breaker breaker;
  Health::Block block = Health::Block::breaker;  // why it was last held
  Instant resets_at{};                           // the stated end of a hold that is probed earlier
  std::string last_reason;
  Duration throttle{};  // grows while limits without a reset follow each other
};

std::string in_words(Duration left) {
  const auto count = std::max<std::int64_t>(
      1, std::chrono::duration_cast<seconds>(left + std::chrono::milliseconds(500)).count());
  if (count < 120) return std::to_string(count) + " s";
  if (count < 7200) return std::to_string((count + 30) / 60) + " min";
  if (count < 172800) return std::to_string((count + 1800) / 3600) + " h";
  return std::to_string((count + 43200) / 86400) + " days";
}

bool is_local(const ProviderFacts& provider, const Target& target) {
  return provider.local || target.tier == Tier::local;
}

// A uniform number in [0, 1).
double jitter() {
  return static_cast<double>(random_u64() >> 11) * 0x1.0p-53;
}

// Whether the verdict proves that the provider was reached.
bool was_reached(FailureClass failure) {
  switch (failure) {
    case FailureClass::quota:
    case FailureClass::credential:
    case FailureClass::request:
    case FailureClass::capability:
      return true;
    case FailureClass::network:
    case FailureClass::provider:
    case FailureClass::local:
      return false;
  }
  return false;
}

}  // namespace

struct Health::Impl {
  mutable std::mutex mutex;
  Lru<Entry> entries{kEntriesMax};
  Lru<Instant> rejections{kEntriesMax};
  Lru<Instant> demotions{kEntriesMax};
  // Providers that could not be reached, since the last one that was.
  Lru<Instant> unreached{kProvidersMax};
  bool offline = false;
  Instant probe_at{};
  double scale = 1.0;
  Duration probe_every = kProbeFirst;

  Duration scaled(Duration time) const {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(time) * scale);
  }

  Entry& entry(std::string_view key, const ProviderFacts& provider, const std::string& model) {
    Entry& found = entries.get(key);
    if (found.provider.empty()) {
      found.provider = provider.name;
      found.model = model;
      found.breaker = Breaker(scale);
    }
    return found;
  }
  Entry& entry_for(Scope scope, const ProviderFacts& provider, const Target& target,
                   std::uint64_t mark);
  void reached() {
    unreached.clear();
    offline = false;
    probe_every = scaled(kProbeFirst);
  }
  void not_reached(const std::string& provider, Instant now);
  void hold(Entry& entry, const Verdict& verdict, Duration time, Instant now);
  // Enters the failure where it belongs; nothing when it says nothing about the target.
  Entry* charge(const ProviderFacts& provider, const Target& target, std::uint64_t mark,
                const Verdict& verdict, Instant now);
};

Entry& Health::Impl::entry_for(Scope scope, const ProviderFacts& provider, const Target& target,
                               std::uint64_t mark) {
  const HealthKeys keys(provider, target, mark);
  switch (scope) {
    case Scope::provider:
      return entry(keys.provider(), provider, "");
    case Scope::key:
      return entry(keys.key(), provider, "");
    case Scope::attempt:
    case Scope::model:
      return entry(keys.model(), provider, target.model);
  }
  return entry(keys.model(), provider, target.model);
}

void Health::Impl::not_reached(const std::string& provider, Instant now) {
  unreached.get(provider) = now;
  if (offline) return;
  std::size_t recent = 0;
  for (const auto& [name, when] : unreached.entries()) {
    if (now - when <= scaled(kOfflineWindow)) ++recent;
  }
  if (recent < kOfflineProviders) return;
  offline = true;
  probe_every = scaled(kProbeFirst);
  probe_at = now + probe_every;
}

void Health::Impl::hold(Entry& entry, const Verdict& verdict, Duration time, Instant now) {
  entry.resets_at = now + time;
  entry.last_reason = verdict.reason;
  Duration shut = time;
  if (verdict.failure == FailureClass::quota && verdict.probe == Probe::hourly) {
    shut = std::min(shut, scaled(kHoldProbe));
  }
  entry.breaker.hold_until(now + shut, verdict.reason);
}

Entry* Health::Impl::charge(const ProviderFacts& provider, const Target& target, std::uint64_t mark,
                            const Verdict& verdict, Instant now) {
  switch (verdict.failure) {
    case FailureClass::request:
    case FailureClass::capability:
    case FailureClass::local:
      return nullptr;
    case FailureClass::quota: {
      if (verdict.scope == Scope::attempt) return nullptr;
      Entry& entry = entry_for(verdict.scope, provider, target, mark);
      entry.block = Block::quota;
      if (!verdict.cooldown) {
        entry.throttle =
            std::clamp(entry.throttle * 2, scaled(kThrottleFirst), scaled(kThrottleMax));
      }
      hold(entry, verdict, verdict.cooldown.value_or(entry.throttle), now);
      return &entry;
    }
    case FailureClass::credential: {
      if (verdict.scope == Scope::attempt) return nullptr;
      Entry& entry = entry_for(verdict.scope, provider, target, mark);
      entry.block = Block::credential;
      const bool configured = provider.has_key && provider.key_mark == mark;
      hold(entry, verdict, scaled(configured ? Duration(kConfiguredKeyHold) : kClientKeyHold), now);
      return &entry;
    }
    case FailureClass::network:
    case FailureClass::provider:
      break;
  }
  Entry& entry = entry_for(verdict.scope, provider, target, mark);
  if (entry.breaker.state(now) != BreakerState::open) {
    entry.block = Block::breaker;
    entry.resets_at = Instant{};
    entry.last_reason = verdict.reason;
  }
  if (verdict.failure == FailureClass::network) {
    // Each request would wait for the same name or connection again.
    entry.breaker.trip(now, jitter());
  } else {
    entry.breaker.failure(now, jitter());
  }
  if (verdict.cooldown) hold(entry, verdict, *verdict.cooldown, now);
  return &entry;
}

Health::Health() : impl_(std::make_unique<Impl>()) {}
Health::~Health() = default;

void Health::scale_times(double scale) {
  const std::lock_guard lock(impl_->mutex);
  impl_->scale = scale;
  impl_->probe_every = impl_->scaled(kProbeFirst);
}

std::optional<Health::Blocked> Health::blocked(const ProviderFacts& provider, const Target& target,
                                               std::uint64_t credential_mark, Instant now) const {
  if (is_local(provider, target)) return std::nullopt;
  const HealthKeys keys(provider, target, credential_mark);
  const std::lock_guard lock(impl_->mutex);
  std::optional<Blocked> found;
  for (const std::string_view key : keys.all()) {
    const Entry* entry = impl_->entries.find(key);
    if (entry == nullptr || entry->breaker.would_allow(now)) continue;
    Blocked blocked;
    blocked.block = entry->block;
    blocked.ready_at = entry->breaker.ready_at(now);
    const std::string left = in_words(std::max(blocked.ready_at, entry->resets_at) - now);
    if (entry->breaker.state(now) == BreakerState::half_open) {
      blocked.why = "another attempt is testing it";
      blocked.being_tested = true;
    } else if (entry->block == Block::breaker) {
      blocked.why = "breaker open for " + left + " (" + entry->breaker.reason() +
                    (entry->last_reason.empty() ? "" : ", last: " + entry->last_reason) + ")";
    } else {
      blocked.why = entry->last_reason + ", for " + left;
    }
    // The block that lasts longest is the one that decides.
    if (!found || blocked.ready_at > found->ready_at) found = std::move(blocked);
  }
  return found;
}

bool Health::begin(const ProviderFacts& provider, const Target& target,
                   std::uint64_t credential_mark, Instant now) {
  if (is_local(provider, target)) return true;
  const HealthKeys keys(provider, target, credential_mark);
  const std::lock_guard lock(impl_->mutex);
  Entry* const entries[] = {impl_->entries.touch(keys.provider()), impl_->entries.touch(keys.key()),
                            impl_->entries.touch(keys.model())};
  for (const Entry* entry : entries) {
    if (entry != nullptr && !entry->breaker.would_allow(now)) return false;
  }
  for (Entry* entry : entries) {
    if (entry != nullptr) entry->breaker.allow(now);
  }
  if (impl_->offline && now >= impl_->probe_at) {
    impl_->probe_every = std::min<Duration>(impl_->probe_every * 2, impl_->scaled(kProbeMax));
    impl_->probe_at = now + impl_->probe_every;
  }
  return true;
}

void Health::succeeded(const ProviderFacts& provider, const Target& target,
                       std::uint64_t credential_mark, Instant now) {
  if (is_local(provider, target)) return;
  const HealthKeys keys(provider, target, credential_mark);
  const std::lock_guard lock(impl_->mutex);
  impl_->reached();
  if (impl_->rejections.size() > 0) impl_->rejections.erase(std::to_string(credential_mark));
  impl_->entry(keys.model(), provider, target.model);
  for (const std::string_view key : keys.all()) {
    Entry* entry = impl_->entries.touch(key);
    if (entry == nullptr) continue;
    entry->breaker.success(now);
    if (entry->breaker.state(now) != BreakerState::closed) continue;
    entry->block = Block::breaker;
    entry->resets_at = Instant{};
    entry->last_reason.clear();
    entry->throttle = Duration::zero();
  }
}

void Health::failed(const ProviderFacts& provider, const Target& target,
                    std::uint64_t credential_mark, const Verdict& verdict, Instant now) {
  if (is_local(provider, target)) return;
  const std::lock_guard lock(impl_->mutex);
  const bool reached = was_reached(verdict.failure);
  if (reached) impl_->reached();
  if (verdict.failure == FailureClass::network) impl_->not_reached(provider.name, now);
  Entry* const charged = impl_->charge(provider, target, credential_mark, verdict, now);

  // The attempt may have been the probe of its other entries too. They learn nothing from it, but
  // for the provider's own: whoever answers is there.
  const HealthKeys keys(provider, target, credential_mark);
  for (const std::string_view key : keys.all()) {
    Entry* entry = impl_->entries.touch(key);
    if (entry == nullptr || entry == charged) continue;
    if (reached && key == keys.provider()) {
      entry->breaker.success(now);
    } else {
      entry->breaker.abandon();
    }
  }
}

void Health::abandoned(const ProviderFacts& provider, const Target& target,
                       std::uint64_t credential_mark) {
  if (is_local(provider, target)) return;
  const HealthKeys keys(provider, target, credential_mark);
  const std::lock_guard lock(impl_->mutex);
  for (const std::string_view key : keys.all()) {
    if (Entry* entry = impl_->entries.touch(key)) entry->breaker.abandon();
  }
}

bool Health::first_rejection(std::uint64_t credential_mark, Instant now) {
  const std::string key = std::to_string(credential_mark);
  const std::lock_guard lock(impl_->mutex);
  Instant* const known = impl_->rejections.touch(key);
  const bool again = known != nullptr && now - *known < impl_->scaled(kRejectionMemory);
  if (known != nullptr) {
    *known = now;
  } else {
    impl_->rejections.get(key) = now;
  }
  return !again;
}

void Health::demote(std::uint64_t conversation, const std::string& provider, Instant now) {
  const std::lock_guard lock(impl_->mutex);
  impl_->demotions.get(std::to_string(conversation) + '\x1f' + provider) =
      now + impl_->scaled(kDemotion);
}

bool Health::demoted(std::uint64_t conversation, const std::string& provider, Instant now) const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->demotions.size() == 0) return false;
  const Instant* until = impl_->demotions.find(std::to_string(conversation) + '\x1f' + provider);
  return until != nullptr && now < *until;
}

bool Health::offline(Instant) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->offline;
}

bool Health::probe_due(Instant now) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->offline && now >= impl_->probe_at;
}

std::vector<TargetState> Health::snapshot(Instant now) const {
  const std::lock_guard lock(impl_->mutex);
  // Several keys may lead to one target: the one that is shut longest stands for it.
  std::map<std::pair<std::string, std::string>, TargetState> states;
  for (const auto& [key, entry] : impl_->entries.entries()) {
    TargetState shown;
    shown.provider = entry.provider;
    shown.model = entry.model;
    shown.state = entry.breaker.state(now);
    // Entries of a whole key or provider are of interest only while they shut something.
    if (entry.model.empty() && shown.state == BreakerState::closed) continue;
    shown.ready_at = std::max(entry.breaker.ready_at(now), entry.resets_at);
    shown.reason = entry.last_reason.empty() ? entry.breaker.reason() : entry.last_reason;
    const auto [known, added] = states.try_emplace({entry.provider, entry.model}, shown);
    if (!added && shown.ready_at > known->second.ready_at) known->second = std::move(shown);
  }
  std::vector<TargetState> list;
  list.reserve(states.size());
  for (auto& [key, state] : states) list.push_back(std::move(state));
  return list;
}

}  // namespace nl::router
