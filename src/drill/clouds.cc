#include "drill/clouds.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <future>

namespace nl::drill {

DrillClouds::DrillClouds(const DrillPace& pace) : limit_reset_(pace.limit_reset) {
  DrillCloudOptions options;
  options.word_pause = pace.word_pause;
  options.limit_reset = pace.limit_reset;
  options.steps = pace.steps;
  options.who = "tier 1 stand-in";
  options.dialect = dialect::DialectId::anthropic;
  clouds_[0] = std::make_unique<DrillCloud>(loop_, options);
  options.who = "tier 2 stand-in";
  options.dialect = dialect::DialectId::openai_chat;
  clouds_[1] = std::make_unique<DrillCloud>(loop_, options);
}

DrillClouds::~DrillClouds() {
  if (!thread_.joinable()) return;
  (void)on_loop([this]() -> Result<void> {
    signals_.cancel();
    for (const auto& cloud : clouds_) (void)cloud->set_mode(CloudMode::dark);
    return {};
  });
  (void)on_loop([]() -> Result<void> { return {}; });  // lets the ended connections go
  loop_.io().stop();
  thread_.join();
}

Result<void> DrillClouds::start() {
  for (int tier = 1; tier <= kDrillClouds; ++tier) {
    const auto bound = cloud(tier).listen();
    if (!bound) return std::unexpected(bound.error());
    ports_[static_cast<std::size_t>(tier - 1)] = *bound;
  }
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) stopped_ = true;
  });
  thread_ = std::thread([this]() {
    const auto work = boost::asio::make_work_guard(loop_.io());
    loop_.io().run();
  });
  return {};
}

Result<void> DrillClouds::on_loop(const std::function<Result<void>()>& action) {
  std::packaged_task<Result<void>()> task(action);
  auto done = task.get_future();
  boost::asio::post(loop_.io(), [&task]() { task(); });
  return done.get();
}

Result<void> DrillClouds::set(int tier, CloudMode mode) {
  return on_loop([this, tier, mode]() { return cloud(tier).set_mode(mode); });
}

void DrillClouds::go_dark_after(int tier, int words) {
  (void)on_loop([this, tier, words]() -> Result<void> {
    cloud(tier).go_dark_after(words);
    return {};
  });
}

CloudMode DrillClouds::mode(int tier) {
  CloudMode mode = CloudMode::dark;
  (void)on_loop([this, tier, &mode]() -> Result<void> {
    mode = cloud(tier).mode();
    return {};
  });
  return mode;
}

}  // namespace nl::drill
