// Pool: kept connections by endpoint, the last used first.
//
// A connection that has been idle for the budget closes; take() gives out only one on which the
// peer has neither closed nor said anything, except that one used a moment ago is not looked at: a
// peer that closes it just then is met by sending anew (client.cc). The Client and every open Call
// co-own the pool, because a Call may outlive the Client. Loop thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/transport.h"

namespace nl::http {

class Bucket;

// A connection, in the pool or in a Call. Its timer runs only in the pool.
class Connection final : public Timer {
 public:
  Connection(Bucket& bucket, std::unique_ptr<Transport> stream)
      : bucket_(bucket), transport_(std::move(stream)) {}

  Transport& transport() { return *transport_; }
  Bucket& bucket() { return bucket_; }
  // Whether it served a call already, and the end of the last one.
  bool used() const { return used_at_.has_value(); }
  Instant used_at() const { return used_at_.value_or(Instant()); }
  void mark_used(Instant now) { used_at_ = now; }

 private:
  void on_deadline() override;

  Bucket& bucket_;
  std::unique_ptr<Transport> transport_;
  std::optional<Instant> used_at_;
};

// The connections of one endpoint. Never removed while the pool lives.
class Bucket {
 public:
  explicit Bucket(Endpoint to) : endpoint_(std::move(to)), authority_(endpoint_.authority()) {}

  bool is_for(const Endpoint& endpoint) const;
  const std::string& authority() const { return authority_; }
  std::vector<std::unique_ptr<Connection>>& idle() { return idle_; }
  void remove(const Connection& connection);

 private:
  Endpoint endpoint_;
  std::string authority_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

class Pool {
 public:
  Pool(Loop& loop, const ClientBudgets& budgets) : loop_(loop), budgets_(budgets) {}

  Bucket& bucket_for(const Endpoint& endpoint);
  // Null when there is none alive.
  std::unique_ptr<Connection> take(Bucket& bucket);
  // After a complete, framed answer only.
  void give_back(std::unique_ptr<Connection> connection);
  std::size_t size() const;
  void clear();
  // From now on connections given back are closed: the Client is gone.
  void close();

  // Read buffers of finished calls, kept for the next ones.
  std::unique_ptr<char[]> take_buffer();
  void give_back_buffer(std::unique_ptr<char[]> buffer);
  static constexpr std::size_t kBufferBytes = 2048;

 private:
  static constexpr std::size_t kBuffersMax = 32;

  Loop& loop_;
  ClientBudgets budgets_;
  bool closed_ = false;
  std::vector<std::unique_ptr<Bucket>> buckets_;
  std::vector<std::unique_ptr<char[]>> buffers_;
};

}  // namespace nl::http
