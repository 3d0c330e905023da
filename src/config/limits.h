// Limits: every bound of the gateway, with the names the `[limits]` section gives them.
//
// Times are already multiplied by `scale`. Plain values; made by configuration, read by whoever
// enforces a bound.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "http/client.h"
#include "http/server.h"

namespace nl::config {

struct Limits {
  // Multiplies every time below.
  double scale = 1.0;

  // The client's side.
  Duration head = std::chrono::seconds(10);
  Duration body_grace = std::chrono::seconds(10);  // then at least 1 KB/s
  Duration body_memory_wait = std::chrono::seconds(10);
  Duration client_idle = std::chrono::seconds(300);
  Duration client_write_stall = std::chrono::seconds(60);
  std::size_t body_bytes_max = 64u << 20;
  std::size_t body_memory_bytes_max = 256u << 20;
  std::size_t connections_max = 4096;

  // The way to an upstream.
  Duration dns = std::chrono::seconds(2);
  Duration connect = std::chrono::seconds(2);
  Duration second_address = std::chrono::milliseconds(250);
  Duration tls = std::chrono::seconds(3);
  Duration write_stall = std::chrono::seconds(10);
  Duration pool_idle = std::chrono::seconds(30);
  std::size_t pool_per_endpoint_max = 1024;

  // The answer.
  Duration first_progress = std::chrono::seconds(60);
  Duration silence = std::chrono::seconds(30);
  Duration reasoning = std::chrono::seconds(300);  // both of the above, for a request that reasons
  Duration early_head = std::chrono::seconds(10);
  Duration filler = std::chrono::seconds(10);
  Duration wait = std::chrono::seconds(300);   // for any target to come back
  Duration total = std::chrono::seconds(600);  // or one second a token, if that is longer
  // A whole answer, while another target is left.
  Duration whole_first = std::chrono::seconds(120);
  std::size_t answer_bytes_max = 64u << 20;
  std::size_t held_tool_bytes_max = 4u << 20;
  std::size_t queue_max = 256;  // requests waiting for a target

  // Health.
  Duration drain = std::chrono::seconds(30);  // from SIGTERM to closing what is left

  http::ServerLimits server() const {
    http::ServerLimits limits;
    limits.body_bytes_max = body_bytes_max;
    limits.body_memory_max = body_memory_bytes_max;
    limits.head = head;
    limits.body_grace = body_grace;
    limits.body_memory_wait = body_memory_wait;
    limits.idle = client_idle;
    limits.write_stall = client_write_stall;
    limits.connections_max = connections_max;
    return limits;
  }

  http::ClientBudgets client() const {
    http::ClientBudgets budgets;
    budgets.dns = dns;
    budgets.connect = connect;
    budgets.second_address = second_address;
    budgets.tls = tls;
    budgets.write_stall = write_stall;
    budgets.pool_idle = pool_idle;
    budgets.pool_per_endpoint_max = pool_per_endpoint_max;
    return budgets;
  }
};

}  // namespace nl::config
