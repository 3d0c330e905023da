#include "http/pool.h"

#include <algorithm>
#include <chrono>

namespace nl::http {
namespace {

// Since when a look at a kept connection is worth a system call.
constexpr std::chrono::milliseconds kJustUsed{1};

}  // namespace

void Connection::on_deadline() {
  bucket_.remove(*this);
}

bool Bucket::is_for(const Endpoint& endpoint) const {
  return endpoint_.port == endpoint.port && endpoint_.scheme == endpoint.scheme &&
         endpoint_.host == endpoint.host;
}

void Bucket::remove(const Connection& connection) {
  std::erase_if(idle_, [&connection](const auto& one) { return one.get() == &connection; });
}

Bucket& Pool::bucket_for(const Endpoint& endpoint) {
  for (const auto& bucket : buckets_) {
    if (bucket->is_for(endpoint)) return *bucket;
  }
  buckets_.push_back(std::make_unique<Bucket>(endpoint));
  return *buckets_.back();
}

std::unique_ptr<Connection> Pool::take(Bucket& bucket) {
  auto& idle = bucket.idle();
  while (!idle.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    connection->disarm();
    if (loop_.now() - connection->used_at() < kJustUsed) return connection;
    if (connection->transport().peer_state() == PeerState::open) return connection;
  }
  return nullptr;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  auto& idle = connection->bucket().idle();
  if (closed_ || idle.size() >= budgets_.pool_per_endpoint_max) return;
  const Instant now = loop_.now();
  connection->mark_used(now);
  loop_.wheel().arm(*connection, now + budgets_.pool_idle);
  idle.push_back(std::move(connection));
}

std::size_t Pool::size() const {
  std::size_t count = 0;
  for (const auto& bucket : buckets_) count += bucket->idle().size();
  return count;
}

void Pool::clear() {
  for (const auto& bucket : buckets_) bucket->idle().clear();
}

void Pool::close() {
  closed_ = true;
  clear();
  buffers_.clear();
}

std::unique_ptr<char[]> Pool::take_buffer() {
  if (buffers_.empty()) return std::make_unique_for_overwrite<char[]>(kBufferBytes);
  std::unique_ptr<char[]> buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void Pool::give_back_buffer(std::unique_ptr<char[]> buffer) {
  if (!closed_ && buffers_.size() < kBuffersMax) buffers_.push_back(std::move(buffer));
}

}  // namespace nl::http
