#include "http/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "http/head.h"

namespace nl::http {
namespace {

constexpr auto kFresh = std::chrono::seconds(60);
constexpr auto kStaleMax = std::chrono::hours(1);
constexpr std::size_t kThreads = 2;
constexpr std::size_t kQueueMax = 64;
constexpr std::size_t kNamesMax = 1024;

bool is_v4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_v6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::vector<std::string> ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  std::vector<std::string> found;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &first) != 0) return found;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      found.emplace_back(text.data());
    }
  }
  freeaddrinfo(first);
  return found;
}

// The system's order within a family, the families in turn, beginning with the system's first.
std::vector<Address> interleaved(const std::vector<std::string>& found) {
  std::vector<Address> families[2];
  for (const std::string& host : found) {
    const bool v6 = host.find(':') != std::string::npos;
    families[v6 ? 1 : 0].push_back(Address{host, v6});
  }
  std::vector<Address> ordered;
  std::size_t turn = !found.empty() && found.front().find(':') != std::string::npos ? 1 : 0;
  std::size_t taken[2] = {0, 0};
  while (ordered.size() < found.size()) {
    if (taken[turn] < families[turn].size()) ordered.push_back(families[turn][taken[turn]++]);
    turn = 1 - turn;
  }
  return ordered;
}

}  // namespace

struct Resolver::Entry {
  std::vector<Address> addresses;  // the last answer
  Instant answered_at{};
  bool expired = false;
  bool looking_up = false;
  bool overdue = false;  // somebody waited the whole budget for this lookup
  std::vector<Wakeup*> waiters;
};

struct Resolver::Threads {
  Lookup lookup;
  std::mutex mutex;
  std::condition_variable work;
  std::deque<std::string> queue;
  std::size_t idle = 0;
  std::size_t started = 0;
  bool stopping = false;
  Resolver* owner = nullptr;  // null once the resolver is gone; read on the loop's thread only
  asio::io_context* io = nullptr;

  static void run(const std::shared_ptr<Threads>& self) {
    std::unique_lock lock(self->mutex);
    while (true) {
      ++self->idle;
      self->work.wait(lock, [&self] { return self->stopping || !self->queue.empty(); });
      --self->idle;
      if (self->stopping) return;
      const std::string host = std::move(self->queue.front());
      self->queue.pop_front();
      lock.unlock();
      std::vector<std::string> found = self->lookup(host);
      lock.lock();
      if (self->stopping) return;
      asio::post(*self->io, [self, host, found = std::move(found)] {
        if (self->owner != nullptr) self->owner->finished(host, found);
      });
    }
  }
};

Resolver::Resolver(Loop& loop, Lookup lookup) : loop_(loop), threads_(std::make_shared<Threads>()) {
  threads_->lookup = lookup ? std::move(lookup) : Lookup(ask_system);
  threads_->owner = this;
  threads_->io = &loop.io();
}

Resolver::~Resolver() {
  threads_->owner = nullptr;
  const std::lock_guard lock(threads_->mutex);
  threads_->stopping = true;
  threads_->work.notify_all();
}

void Resolver::expire() {
  for (auto& [host, entry] : entries_) entry->expired = true;
}

void Resolver::start_lookup(const std::string& host, Entry& entry) {
  const std::lock_guard lock(threads_->mutex);
  if (threads_->queue.size() >= kQueueMax) return;
  threads_->queue.push_back(host);
  entry.looking_up = true;
  if (threads_->idle < threads_->queue.size() && threads_->started < kThreads) {
    ++threads_->started;
    // check: allow(banned-call) a blocked lookup cannot be joined; the thread co-owns all it uses
    std::thread(&Threads::run, threads_).detach();
  }
  threads_->work.notify_one();
}

void Resolver::finished(const std::string& host, const std::vector<std::string>& found) {
  const auto at = entries_.find(host);
  if (at == entries_.end()) return;
  Entry& entry = *at->second;
  entry.looking_up = false;
  entry.overdue = false;
  if (!found.empty()) {
    entry.addresses = interleaved(found);
    entry.answered_at = loop_.now();
    entry.expired = false;
  }
  for (Wakeup* const waiter : entry.waiters) waiter->notify();
}

asio::awaitable<Result<std::vector<Address>>> Resolver::resolve(std::string host, Instant until,
                                                                Wakeup& wakeup) {
  std::vector<Address> known = known_addresses(host);
  if (!known.empty()) co_return known;
  if (entries_.size() >= kNamesMax && !entries_.contains(host)) {
    co_return fail(ErrorCode::dns, "too many names to look up");
  }
  std::unique_ptr<Entry>& slot = entries_[host];
  if (!slot) slot = std::make_unique<Entry>();
  Entry& entry = *slot;  // entries are never removed

  const auto age = [this, &entry] { return loop_.now() - entry.answered_at; };
  const auto has_fresh = [&] {
    return !entry.addresses.empty() && !entry.expired && age() < kFresh;
  };
  if (has_fresh()) co_return entry.addresses;
  if (!entry.looking_up) start_lookup(host, entry);
  const bool has_stale = !entry.addresses.empty() && age() < kStaleMax;
  if (entry.looking_up && !(entry.overdue && has_stale)) {
    Alarm alarm(wakeup);
    loop_.wheel().arm(alarm, until);
    entry.waiters.push_back(&wakeup);
    co_await wakeup.wait();
    std::erase(entry.waiters, &wakeup);
    if (entry.looking_up && !alarm.armed()) entry.overdue = true;
  }
  if (has_fresh()) co_return entry.addresses;
  if (!entry.addresses.empty() && age() < kStaleMax) co_return entry.addresses;
  co_return fail(ErrorCode::dns, "cannot resolve " + host);
}

std::vector<Address> known_addresses(const std::string& host) {
  if (is_v4(host)) return {Address{host, false}};
  if (is_v6(host)) return {Address{host, true}};
  const bool local = same_name(host, "localhost") ||
                     (host.size() > 10 && same_name(host.substr(host.size() - 10), ".localhost"));
  if (local) return {Address{"127.0.0.1", false}, Address{"::1", true}};
  return {};
}

bool is_loopback_host(const std::string& host) {
  const std::vector<Address> known = known_addresses(host);
  return !known.empty() && (known.front().host.starts_with("127.") || known.front().host == "::1");
}

}  // namespace nl::http
