#include "http/server.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "base/log.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/socket.h"
#include "http/tls_server.h"

namespace nl::http {
namespace {

constexpr std::size_t kReservedDescriptors = 64;
constexpr std::size_t kConnectionsMin = 16;

// Each client may need an upstream connection of its own, and files must still open.
ServerLimits within_descriptors(ServerLimits limits) {
  const std::size_t most = descriptors_max();
  const std::size_t half = most > kReservedDescriptors ? (most - kReservedDescriptors) / 2 : 0;
  limits.connections_max = std::min(limits.connections_max, std::max(half, kConnectionsMin));
  return limits;
}

// What became of a connection's coroutine. An exception is a bug of a handler or lack of memory.
void on_connection_end(const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& problem) {
    log::error("connection ended by an exception: {}", problem.what());
  } catch (...) {
    log::error("connection ended by an unknown exception");
  }
}

// Begins to serve an accepted descriptor that state->count already counts.
void serve(const std::shared_ptr<ServerState>& state, int descriptor,
           std::shared_ptr<const TlsIdentity> identity) {
  boost::system::error_code failure;
  Transport::Socket socket(state->loop.io());
  const asio::generic::stream_protocol protocol(family_of(descriptor), 0);
  socket.assign(protocol, descriptor, failure);
  if (failure || state->stopped) {
    state->count.fetch_sub(1, std::memory_order_relaxed);
    if (failure) close_descriptor(descriptor);
    return;
  }
  auto connection =
      std::make_unique<ServerConnection>(state, std::move(socket), std::move(identity));
  asio::co_spawn(state->loop.io(), ServerConnection::run(std::move(connection)), on_connection_end);
}

}  // namespace

Server::Server(Loop& loop, Handler& handler, ServerLimits limits)
    : state_(std::make_shared<ServerState>(loop, handler, within_descriptors(limits))) {
  ignore_broken_pipe_signal();
  state_->on_room = [this] {
    for (const auto& listener : listeners_) listener->resume();
  };
}

Server::~Server() {
  stop();
  state_->on_room = nullptr;
}

Result<void> Server::listen(const ListenAddress& address, std::shared_ptr<const TlsDoor> door) {
  auto listener = Listener::open(state_->loop, address);
  if (!listener) return std::unexpected(listener.error());
  begin(std::move(*listener), std::move(door));
  return {};
}

void Server::adopt_listener(const ListenAddress& address, int descriptor,
                            std::shared_ptr<const TlsDoor> door) {
  begin(Listener::adopt(state_->loop, descriptor, address), std::move(door));
}

void Server::begin(std::unique_ptr<Listener> listener, std::shared_ptr<const TlsDoor> door) {
  const TlsDoor* const seen = door.get();
  if (door) doors_.push_back(std::move(door));
  listener->start([this, seen](int descriptor) { place(descriptor, seen); },
                  [this] { return has_room(); });
  listeners_.push_back(std::move(listener));
}

void Server::share(std::vector<Server*> others) {
  others_ = std::move(others);
}

bool Server::has_room() const {
  const auto full = [](const Server& server) {
    return server.connections() >= server.state_->limits.connections_max;
  };
  return !full(*this) || std::any_of(others_.begin(), others_.end(),
                                     [&full](const Server* other) { return !full(*other); });
}

void Server::place(int descriptor, const TlsDoor* door) {
  Server* chosen = this;
  for (Server* const other : others_) {
    if (other->connections() < chosen->connections()) chosen = other;
  }
  const std::shared_ptr<ServerState> state = chosen->state_;
  state->count.fetch_add(1, std::memory_order_relaxed);
  const std::shared_ptr<const TlsIdentity> identity = door == nullptr ? nullptr : door->identity();
  if (chosen == this) {
    serve(state, descriptor, identity);
  } else {
    asio::post(state->loop.io(),
               [state, descriptor, identity] { serve(state, descriptor, identity); });
  }
}

std::vector<std::uint16_t> Server::ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& listener : listeners_) ports.push_back(listener->port());
  return ports;
}

void Server::hand_over() {
  state_->handing_over = true;
  for (const auto& listener : listeners_) listener->hold();
  for (ServerConnection* const connection : state_->connections) connection->hand_over();
}

Handed Server::take_handed() {
  Handed handed;
  for (const auto& listener : listeners_) handed.listeners.push_back(listener->release());
  handed.connections = std::exchange(state_->handed, {});
  return handed;
}

void Server::close_handed() {
  for (const int descriptor : std::exchange(state_->handed, {})) close_descriptor(descriptor);
}

void Server::drain() {
  state_->draining = true;
  state_->handing_over = false;
  close_handed();
  for (const auto& listener : listeners_) listener->stop();
  for (ServerConnection* const connection : state_->connections) connection->drain();
}

void Server::stop() {
  state_->stopped = true;
  close_handed();
  for (const auto& listener : listeners_) listener->stop();
  for (ServerConnection* const connection : state_->connections) connection->abort();
}

std::size_t Server::connections() const {
  return state_->count.load(std::memory_order_relaxed);
}
std::size_t Server::active() const {
  return state_->active;
}

}  // namespace nl::http
