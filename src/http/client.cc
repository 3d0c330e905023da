#include "http/client.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/call.h"
#include "http/dial.h"
#include "http/fields.h"
#include "http/pool.h"
#include "http/socket.h"

namespace nl::http {
namespace {

constexpr auto kEarlyAnswerWait = std::chrono::seconds(1);

bool is_target(std::string_view text) {
  return text.starts_with('/') && std::none_of(text.begin(), text.end(), [](char c) {
           return c <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '#';
         });
}

std::string compose_head(const Outgoing& outgoing, const std::string& authority) {
  std::string head;
  head.reserve(outgoing.method.size() + outgoing.target.size() + authority.size() +
               outgoing.headers.size() + 80);
  head.append(outgoing.method).append(" ").append(outgoing.target).append(" HTTP/1.1\r\nhost: ");
  head.append(authority).append("\r\n").append(outgoing.headers);
  const bool has_body = !outgoing.body.empty() || outgoing.method == "POST" ||
                        outgoing.method == "PUT" || outgoing.method == "PATCH";
  if (has_body) {
    std::array<char, 20> digits;
    const auto [end, failure] = std::to_chars(digits.begin(), digits.end(), outgoing.body.size());
    head.append("content-length: ").append(digits.begin(), end).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace

void Cancel::fire() {
  if (fired_) return;
  fired_ = true;
  if (action_ != nullptr) action_(subject_);
}

struct Client::Impl {
  Impl(Loop& on, ClientOptions with)
      : loop(on),
        options(std::move(with)),
        dialer(on, options),
        pool(std::make_shared<Pool>(on, options.budgets)) {
    ignore_broken_pipe_signal();
  }
  ~Impl() { pool->close(); }

  asio::awaitable<Result<std::unique_ptr<Call>>> send(const Endpoint& endpoint,
                                                      const Outgoing& outgoing, Cancel& cancel,
                                                      Instant head_until);
  // Writes what the kernel did not take at once; until when to wait for the head then.
  asio::awaitable<Result<Instant>> write_rest(UpstreamCall& call, Pieces rest, Instant head_until);

  Loop& loop;
  ClientOptions options;
  Dialer dialer;
  // Shared with the open Calls, which may outlive the client.
  std::shared_ptr<Pool> pool;
  std::uint64_t dialled = 0;
};

asio::awaitable<Result<Instant>> Client::Impl::write_rest(UpstreamCall& call, Pieces rest,
                                                          Instant head_until) {
  const auto sent = co_await call.transport().write_steadily(rest, options.budgets.write_stall);
  if (sent) co_return head_until;
  // The peer may have refused early: its answer says more than our broken pipe.
  const bool answered = call.transport().peer_state() == PeerState::has_bytes;
  if (!answered) co_return std::unexpected(sent.error());
  co_return std::min(head_until, loop.now() + kEarlyAnswerWait);
}

asio::awaitable<Result<std::unique_ptr<Call>>> Client::Impl::send(const Endpoint& endpoint,
                                                                  const Outgoing& outgoing,
                                                                  Cancel& cancel,
                                                                  Instant head_until) {
  if (!is_target(outgoing.target) || !is_token(outgoing.method)) {
    co_return fail(ErrorCode::internal, "malformed method or target of an upstream request");
  }
  Bucket& bucket = pool->bucket_for(endpoint);
  for (bool fresh = false;; fresh = true) {
    if (cancel.fired()) co_return fail(ErrorCode::cancelled, "request was given up");
    std::unique_ptr<Connection> connection = fresh ? nullptr : pool->take(bucket);
    if (!connection) {
      ++dialled;
      auto transport = co_await dialer.dial(endpoint, cancel, head_until);
      if (!transport) co_return std::unexpected(transport.error());
      connection = std::make_unique<Connection>(bucket, std::move(*transport));
    }
    auto call = std::make_unique<UpstreamCall>(pool, std::move(connection), cancel);
    const std::string head = compose_head(outgoing, bucket.authority());
    Pieces request(head, outgoing.body);
    co_await call->transport().write_together(request);
    Result<Instant> until = head_until;
    if (request.size() > 0) until = co_await write_rest(*call, request, head_until);
    Result<void> answered;
    if (until) {
      answered = co_await call->read_head(outgoing.method, *until);
    } else {
      answered = std::unexpected(until.error());
    }
    if (answered) co_return std::move(call);
    // A kept connection may have been closed under us: nobody saw the request, so send it anew.
    const bool stale = call->reused() && call->untouched() &&
                       answered.error().code == ErrorCode::reset && !cancel.fired();
    if (!stale) co_return std::unexpected(answered.error());
  }
}

Client::Client(Loop& loop, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Client::~Client() = default;

asio::awaitable<Result<std::unique_ptr<Call>>> Client::send(const Endpoint& endpoint,
                                                            const Outgoing& outgoing,
                                                            Cancel& cancel, Instant head_until) {
  return impl_->send(endpoint, outgoing, cancel, head_until);
}

std::size_t Client::pooled() const {
  return impl_->pool->size();
}
std::uint64_t Client::dialled() const {
  return impl_->dialled;
}

void Client::drop_pool() {
  impl_->pool->clear();
  impl_->dialer.forget_names();
}

}  // namespace nl::http
