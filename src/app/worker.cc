#include "app/worker.h"

namespace nl::app {

void Worker::stop_when_idle(Instant deadline) {
  const bool last = others == nullptr || others->load(std::memory_order_acquire) == 0;
  const bool handing = leaving == Leaving::hand_over;
  const std::size_t busy = handing ? server->connections() : server->active();
  if (last && (busy == 0 || loop.now() >= deadline)) {
    if (handing) handed = server->take_handed();
    server->stop();
    loop.io().stop();
    return;
  }
  if (!drain_timer) drain_timer = std::make_unique<http::asio::steady_timer>(loop.io());
  drain_timer->expires_after(std::chrono::milliseconds(20));
  drain_timer->async_wait([this, deadline](const boost::system::error_code& error) {
    if (!error) stop_when_idle(deadline);
  });
}

std::shared_ptr<const gateway::Upstreams> make_upstreams(const Routing& routing,
                                                         http::Client& client,
                                                         provider::Readiness* engine) {
  auto upstreams = std::make_shared<gateway::Upstreams>();
  upstreams->policy = routing.policy;
  upstreams->local_form = routing.local_form;
  upstreams->observer = routing.observer;
  for (provider::Setting setting : routing.settings) {
    if (setting.name == "engine") setting.engine = engine;
    upstreams->providers.push_back(
        std::make_unique<provider::Provider>(client, std::move(setting)));
  }
  return upstreams;
}

http::ClientOptions client_options(const config::Config& config) {
  http::ClientOptions options;
  options.budgets = config.limits.client();
  options.extra_ca_file = config.ca_file;
  options.https_proxy = config.https_proxy;
  options.no_proxy = config.no_proxy;
  return options;
}

}  // namespace nl::app
