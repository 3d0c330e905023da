// Resolver: names to addresses on two threads of its own, because the system's lookup blocks.
//
// Answers are kept for a minute; a name that cannot be looked up now is served from an older
// answer for up to an hour. Literals and localhost need no lookup. Equal names share one lookup,
// and a lookup that never ends costs its waiters their budget once, later ones nothing while an
// old answer exists. A blocked thread cannot be interrupted: it is left behind with state it
// co-owns. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/loop.h"
#include "http/wakeup.h"

namespace nl::http {

// One address to connect to: numeric host, IPv4 or IPv6.
struct Address {
  std::string host;
  bool v6 = false;
};

// The blocking lookup: numeric addresses, or none. Called on the resolver's threads.
using Lookup = std::function<std::vector<std::string>(const std::string& host)>;

class Resolver {
 public:
  // An empty `lookup` asks the system.
  Resolver(Loop& loop, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Addresses in the order to try them, families alternating. Notifying `wakeup` ends the wait
  // early, with dns. Errors: dns.
  asio::awaitable<Result<std::vector<Address>>> resolve(std::string host, Instant until,
                                                        Wakeup& wakeup);
  // Forgets what is kept as fresh (after a network change); old answers still serve a failure.
  void expire();

 private:
  struct Entry;
  struct Threads;

  void start_lookup(const std::string& host, Entry& entry);
  void finished(const std::string& host, const std::vector<std::string>& found);

  Loop& loop_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;
  // Shared with the lookup threads, which may outlive us inside a blocked call.
  std::shared_ptr<Threads> threads_;
};

// The addresses of `host` when it needs no lookup: a literal or localhost; else none.
std::vector<Address> known_addresses(const std::string& host);
bool is_loopback_host(const std::string& host);

}  // namespace nl::http
