#include "admin/herald.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <thread>

#include "admin/tier_news.h"
#include "base/log.h"
#include "base/process_child.h"
#include "http/loop.h"

namespace nl::admin {
namespace {

namespace asio = http::asio;

constexpr auto kLookEvery = std::chrono::milliseconds(500);
constexpr auto kChildLook = std::chrono::milliseconds(50);
constexpr auto kDesktopWithin = std::chrono::seconds(5);
constexpr auto kWebhookWithin = std::chrono::seconds(10);
constexpr std::string_view kHeaders =
    "content-type: application/json\r\nuser-agent: nightlight\r\n";

std::string utc(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

struct Herald::Impl {
  Impl(const Clock& clock, gateway::Tally& counted, HeraldSettings wanted)
      : tally(counted),
        settings(std::move(wanted)),
        watch(settings.quiet),
        loop(clock),
        client(loop, settings.client),
        timer(loop.io()) {}

  asio::awaitable<void> run();
  asio::awaitable<void> wait(Duration time);
  asio::awaitable<void> post(std::string body);
  asio::awaitable<void> show(std::string text);

  gateway::Tally& tally;
  HeraldSettings settings;
  TierWatch watch;
  http::Loop loop;
  http::Client client;
  asio::steady_timer timer;
  std::thread thread;
};

asio::awaitable<void> Herald::Impl::wait(Duration time) {
  timer.expires_after(time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> Herald::Impl::run() {
  while (true) {
    co_await wait(kLookEvery);
    const std::vector<TierNews> all = watch.look(tally.answering(), loop.now());
    for (const TierNews& news : all) {
      log::info("{}", news.text);
      std::string body = news_json(news, utc(loop.clock().wall()));
      if (!settings.desktop_command.empty()) co_await show(news.text);
      if (settings.webhook) co_await post(std::move(body));
    }
  }
}

// Its answer is of no interest but for the status.
asio::awaitable<void> Herald::Impl::post(std::string body) {
  http::Cancel cancel;
  http::Outgoing outgoing;
  outgoing.method = "POST";
  outgoing.target = settings.webhook->target.reveal();
  outgoing.headers = kHeaders;
  outgoing.body = body;
  const Instant until = loop.now() + kWebhookWithin;
  const auto call = co_await client.send(settings.webhook->endpoint, outgoing, cancel, until);
  if (!call) {
    log::warn("webhook at {}: {}", settings.webhook->endpoint.host, call.error().message);
  } else if ((*call)->head().status >= 300) {
    log::warn("webhook at {}: answered with status {}", settings.webhook->endpoint.host,
              (*call)->head().status);
  }
}

asio::awaitable<void> Herald::Impl::show(std::string text) {
  ChildOrder order;
  order.arguments = settings.desktop_command;
  order.arguments.push_back(std::move(text));
  order.environment = settings.desktop_environment;
  order.folder = "/";
  order.output = settings.scratch;
  auto child = Child::start(order);
  if (!child) {
    log::warn("desktop notification: {}", child.error().message);
    co_return;
  }
  const Instant until = loop.now() + kDesktopWithin;
  std::optional<int> status = child->poll();
  while (!status && loop.now() < until) {
    co_await wait(kChildLook);
    status = child->poll();
  }
  if (status != 0) log::warn("desktop notification: {} failed", settings.desktop_command.front());
}

Herald::Herald(const Clock& clock, gateway::Tally& tally, HeraldSettings settings)
    : impl_(std::make_unique<Impl>(clock, tally, std::move(settings))) {}

Herald::~Herald() {
  stop();
}

void Herald::succeed(Herald& earlier) {
  earlier.stop();
  impl_->watch.take_over(std::move(earlier.impl_->watch));
}

void Herald::begin() {
  asio::co_spawn(impl_->loop.io(), impl_->run(), asio::detached);
  impl_->thread = std::thread([this]() { impl_->loop.io().run(); });
}

void Herald::stop() {
  impl_->loop.io().stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace nl::admin
