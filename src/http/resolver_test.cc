#include "http/resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <string>
#include <vector>

#include "http/proxy.h"
#include "http/race.h"
#include "http/raw_peer.h"
#include "http/test_loop.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

class ResolverTest : public ::testing::Test {
 public:
  // A resolver whose lookups the test answers, counts and holds back.
  Resolver make() {
    return Resolver(loop, [this](const std::string& host) {
      ++lookups;
      while (held) std::this_thread::sleep_for(milliseconds(1));
      if (failing || host == "missing.test") return std::vector<std::string>();
      return std::vector<std::string>{"::1", "::2", "127.0.0.1"};
    });
  }
  static asio::awaitable<Result<std::vector<Address>>> ask(Resolver& resolver, Loop& loop,
                                                           std::string host, Duration budget) {
    Wakeup wakeup(loop);
    co_return co_await resolver.resolve(std::move(host), loop.now() + budget, wakeup);
  }
  std::string resolve(Resolver& resolver, const std::string& host,
                      Duration budget = std::chrono::seconds(5)) {
    const auto found = run_on(loop, ask(resolver, loop, host, budget));
    if (!found) return name(found.error().code);
    std::string text;
    for (const Address& address : *found) text += address.host + " ";
    return text;
  }

  // The clock stands still; budgets therefore end by advance().
  ManualClock clock;
  Loop loop{clock};
  std::atomic<int> lookups{0};
  std::atomic<bool> held{false};
  std::atomic<bool> failing{false};
};

TEST_F(ResolverTest, literals_and_localhost_need_no_lookup) {
  Resolver resolver = make();
  EXPECT_EQ(resolve(resolver, "127.0.0.1"), "127.0.0.1 ");
  EXPECT_EQ(resolve(resolver, "::1"), "::1 ");
  EXPECT_EQ(resolve(resolver, "LocalHost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(resolve(resolver, "a.localhost"), "127.0.0.1 ::1 ");
  EXPECT_EQ(lookups, 0);
}

TEST_F(ResolverTest, families_alternate_and_answers_are_kept_for_a_minute) {
  Resolver resolver = make();
  EXPECT_EQ(resolve(resolver, "a.test"), "::1 127.0.0.1 ::2 ");
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(resolve(resolver, "a.test"), "::1 127.0.0.1 ::2 ");
  EXPECT_EQ(lookups, 1);
  clock.advance(std::chrono::seconds(2));
  resolve(resolver, "a.test");
  EXPECT_EQ(lookups, 2);
  resolver.expire();
  resolve(resolver, "a.test");
  EXPECT_EQ(lookups, 3);
}

TEST_F(ResolverTest, old_answers_serve_a_failure_for_an_hour) {
  Resolver resolver = make();
  EXPECT_EQ(resolve(resolver, "missing.test"), "dns");
  resolve(resolver, "a.test");
  failing = true;
  clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(resolve(resolver, "a.test"), "::1 127.0.0.1 ::2 ");
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(resolve(resolver, "a.test"), "dns");
}

TEST(ResolverOnTheClock, a_blocked_lookup_costs_its_budget_once_and_never_the_loop) {
  SystemClock clock;
  Loop loop(clock);
  auto held = std::make_shared<std::atomic<bool>>(false);
  auto lookups = std::make_shared<std::atomic<int>>(0);
  {
    Resolver resolver(loop, [held, lookups](const std::string&) {
      ++*lookups;
      while (*held) std::this_thread::sleep_for(milliseconds(1));
      return std::vector<std::string>{"127.0.0.9"};
    });
    const auto ask = [&](Duration budget) {
      return run_on(loop, ResolverTest::ask(resolver, loop, "a.test", budget));
    };
    EXPECT_TRUE(ask(std::chrono::seconds(5)).has_value());
    resolver.expire();
    *held = true;
    const Instant began = clock.now();
    EXPECT_TRUE(ask(milliseconds(60)).has_value()) << "the old answer";
    EXPECT_GE(clock.now() - began, milliseconds(50));
    const Instant again = clock.now();
    EXPECT_TRUE(ask(milliseconds(5000)).has_value());
    EXPECT_LT(clock.now() - again, milliseconds(2000)) << "at once";
    EXPECT_EQ(*lookups, 2) << "one lookup for all who ask";
  }
  *held = false;  // the thread outlives its resolver without touching it
}

// Fills the queue of somebody who listens and never accepts: the next connect gets no answer.
std::vector<boost::asio::ip::tcp::socket> fill_queue(boost::asio::io_context& io,
                                                     const boost::asio::ip::tcp::endpoint& place) {
  std::vector<boost::asio::ip::tcp::socket> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.emplace_back(io);
    fillers.back().open(place.protocol());
    fillers.back().native_non_blocking(true);
    // Asio's own connect would wait.
    (void)::connect(fillers.back().native_handle(), place.data(),
                    static_cast<socklen_t>(place.size()));
  }
  return fillers;
}

// What a race came to; a socket is no default value for a spawned coroutine.
asio::awaitable<Result<bool>> outcome_of(std::shared_ptr<Race> race, RaceTiming timing) {
  const auto socket = co_await Race::run(std::move(race), timing);
  if (!socket) co_return std::unexpected(socket.error());
  co_return socket->is_open();
}

TEST(Races, take_the_next_address_when_one_fails_or_keeps_silent) {
  SystemClock clock;
  Loop loop(clock);
  RawPeer peer([](RawStream& stream, int) { stream.send("x"); });
  const auto connect = [&](std::vector<Address> addresses) {
    const RaceTiming timing{milliseconds(50), clock.now() + std::chrono::seconds(2)};
    auto race = std::make_shared<Race>(loop, std::move(addresses), peer.port());
    return run_on(loop, outcome_of(std::move(race), timing));
  };
  EXPECT_TRUE(connect({{"127.0.0.1", false}}).has_value());
  EXPECT_TRUE(connect({{"127.0.0.7", false}, {"127.0.0.1", false}}).has_value()) << "refused";
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor mute(io);
  const boost::asio::ip::tcp::endpoint place(boost::asio::ip::make_address("127.0.0.8"),
                                             peer.port());
  mute.open(place.protocol());
  mute.bind(place);
  mute.listen(0);
  const auto fillers = fill_queue(io, place);
  const Instant began = clock.now();
  EXPECT_TRUE(connect({{"127.0.0.8", false}, {"127.0.0.1", false}}).has_value()) << "silent";
  EXPECT_GE(clock.now() - began, milliseconds(40));
  EXPECT_LT(clock.now() - began, milliseconds(1500));
  const auto none = connect({{"127.0.0.7", false}});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::connect);
}

TEST(Races, end_at_their_deadline_and_when_cancelled) {
  SystemClock clock;
  Loop loop(clock);
  boost::asio::ip::tcp::acceptor mute(loop.io(), {boost::asio::ip::address_v4::loopback(), 0});
  mute.listen(0);
  const std::uint16_t port = mute.local_endpoint().port();
  const auto fillers = fill_queue(loop.io(), mute.local_endpoint());
  const std::vector<Address> addresses = {{"127.0.0.1", false}};
  const RaceTiming timing{milliseconds(10), clock.now() + milliseconds(60)};
  const auto late = run_on(loop, outcome_of(std::make_shared<Race>(loop, addresses, port), timing));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::connect);
  auto race = std::make_shared<Race>(loop, addresses, port);
  boost::asio::post(loop.io(), [race] { race->cancel(); });
  const RaceTiming long_timing{milliseconds(10), clock.now() + std::chrono::seconds(5)};
  const auto cancelled = run_on(loop, outcome_of(race, long_timing));
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().code, ErrorCode::cancelled);
}

TEST(ProxyRules, name_the_proxy_for_foreign_https_hosts_only) {
  const auto uses = [](const ProxyRules& rules, const char* host, Scheme scheme = Scheme::https) {
    Endpoint endpoint;
    endpoint.host = host;
    endpoint.scheme = scheme;
    const auto proxy = rules.proxy_for(endpoint);
    return proxy.has_value() && proxy->has_value();
  };
  const ProxyRules rules("http://proxy.corp:3128/",
                         "example.com, .corp,*.inner,10.0.0.1,a.test:443");
  EXPECT_TRUE(uses(rules, "api.anthropic.com"));
  EXPECT_FALSE(uses(rules, "api.anthropic.com", Scheme::http));
  for (const char* host : {"localhost", "127.0.0.1", "::1", "example.com", "API.Example.com",
                           "x.corp", "y.inner", "10.0.0.1", "a.test"}) {
    EXPECT_FALSE(uses(rules, host)) << host;
  }
  EXPECT_TRUE(uses(rules, "notexample.com"));
  EXPECT_TRUE(uses(ProxyRules("proxy:3128", ""), "a.com")) << "the scheme may be missing";
  EXPECT_FALSE(uses(ProxyRules("http://p:1", "*"), "a.com"));
  EXPECT_FALSE(uses(ProxyRules("", ""), "a.com"));
  Endpoint endpoint;
  endpoint.host = "a.com";
  for (const char* bad : {"socks5://p:1", "https://p:1", "http://", "http://p:x"}) {
    EXPECT_FALSE(ProxyRules(bad, "").proxy_for(endpoint).has_value()) << bad;
  }
}

}  // namespace
}  // namespace nl::http
