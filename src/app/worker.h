// Worker: one loop with everything that belongs to its thread: client, gateway, server.
//
// Made and wired by serve.cc before the loop runs; stopped on its own thread.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <thread>

#include "app/policy.h"
#include "gateway/gateway.h"
#include "http/client.h"
#include "http/server.h"

namespace nl::app {

// What becomes of a worker's connections when it stops.
enum class Leaving : std::uint8_t { close, hand_over };

struct Worker {
  Worker(const Clock& clock, const http::ClientOptions& options)
      : loop(clock), client(loop, options) {}

  // A request that is cut off dies with the loop, and still looks at its gateway then.
  std::unique_ptr<gateway::Gateway> gateway;
  http::Loop loop;
  http::Client client;
  std::unique_ptr<http::Server> server;
  provider::Readiness* engine = nullptr;  // on this loop
  std::unique_ptr<http::asio::steady_timer> drain_timer;
  std::thread thread;
  // The first worker, on whose loop the engine is looked after: how many others still run. It ends
  // last. Null for the others.
  const std::atomic<int>* others = nullptr;
  Leaving leaving = Leaving::close;
  http::Handed handed;  // once a loop that hands over has stopped

  // On the loop's own thread: stops it once no request is being answered (close) or no connection
  // is left (hand_over), at `deadline` at the latest.
  void stop_when_idle(Instant deadline);
};

// One loop's providers beside the policy. `engine`: what providers of the engine wait for on the
// client's loop; null = there is none.
std::shared_ptr<const gateway::Upstreams> make_upstreams(const Routing& routing,
                                                         http::Client& client,
                                                         provider::Readiness* engine);

http::ClientOptions client_options(const config::Config& config);

}  // namespace nl::app
