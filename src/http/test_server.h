// TestServer: a Server on a thread of its own that answers with what it saw; tests talk to it over
// raw sockets.
//
// Requests for some paths get other treatment: see handle(). Test code only; drive it from one
// thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "http/raw_peer.h"
#include "http/server.h"

namespace nl::http {

// Answers with what it saw, or as the path says.
class EchoHandler final : public Handler {
 public:
  std::optional<Answer> admit(const RequestHead& head, std::string_view) override {
    if (head.path != "/forbidden") return std::nullopt;
    Answer answer;
    answer.status = 403;
    answer.body = "no";
    return answer;
  }

  asio::awaitable<void> handle(Exchange& exchange) override {
    ++handled;
    const std::string_view path = exchange.head().path;
    if (path == "/silent") co_return;
    if (path == "/throw") throw std::runtime_error("handler failed");
    if (path == "/stream") {
      if (!co_await exchange.begin_stream("text/event-stream", "x-more: 1\r\n", "one")) co_return;
      (void)co_await exchange.write("two");
      if (!exchange.write_now("three")) exchange.abort();
      (void)co_await exchange.finish();
      co_return;
    }
    if (path == "/cut") {
      (void)co_await exchange.begin_stream("text/event-stream", "", "one");
      exchange.abort();
      co_return;
    }
    if (path == "/wait") {
      while (!exchange.client_gone()) {
        asio::steady_timer pause(exchange.loop().io(), std::chrono::milliseconds(5));
        co_await pause.async_wait(asio::deferred);
      }
      ++gone;
      co_return;
    }
    if (path == "/flood") {
      const std::string piece(1 << 20, 'x');
      (void)co_await exchange.begin_stream("text/plain", "", "");
      for (int i = 0; i < 64; ++i) {
        if (!co_await exchange.write(piece)) break;
      }
      ++gone;
      co_return;
    }
    if (path == "/close") exchange.close_after();
    Answer answer;
    answer.content_type = "text/plain";
    answer.body = std::string(exchange.head().method) + " " + std::string(exchange.head().target) +
                  " " + std::string(exchange.body().substr(0, 100)) + " " +
                  std::to_string(exchange.body().size());
    (void)co_await exchange.respond(answer);
  }

  Answer refuse(const Error& error, std::string_view target) override {
    Answer answer;
    answer.status = error.status;
    answer.body = "refused " + std::string(target) + ": " + error.message;
    return answer;
  }

  std::atomic<int> handled{0};
  std::atomic<int> gone{0};
};

class TestServer {
 public:
  // With a `door` it speaks TLS.
  explicit TestServer(ServerLimits limits = ServerLimits(),
                      std::shared_ptr<const TlsDoor> door = nullptr)
      : server_(std::make_unique<Server>(loop_, echo, limits)) {
    const ListenAddress address{"127.0.0.1", 0, ""};
    if (!server_->listen(address, std::move(door))) throw std::runtime_error("cannot listen");
    port_ = server_->ports().front();
    thread_ = std::thread([this] {
      const auto work = asio::make_work_guard(loop_.io());
      loop_.io().run();
    });
  }
  // Runs `action` on the loop and waits for it.
  template <typename Action>
  auto on_loop(Action action) {
    std::packaged_task<decltype(action())()> task(std::move(action));
    auto done = task.get_future();
    asio::post(loop_.io(), [&task] { task(); });
    return done.get();
  }
  ~TestServer() {
    on_loop([this] { server_.reset(); });
    on_loop([] {});  // lets the ended connections go
    loop_.io().stop();
    thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // True once `done` says so on the loop; false after some seconds.
  bool wait_for(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !on_loop(done); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return on_loop(done);
  }
  std::size_t connections() const { return server_->connections(); }
  std::size_t active() {
    return on_loop([this] { return server_->active(); });
  }
  bool comes_to_rest() {
    return wait_for([this] { return server_->connections() == 0 && server_->active() == 0; });
  }

  RawStream connect() const { return RawStream::connect(port_); }
  std::string ask(std::string_view request) const {
    RawStream stream = connect();
    stream.send(request);
    return stream.read_message();
  }
  Server& server() { return *server_; }  // to be used in on_loop()
  std::uint16_t port() const { return port_; }

  EchoHandler echo;

 private:
  SystemClock clock_;
  Loop loop_{clock_};
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

inline std::string body_of(const std::string& message) {
  return message.substr(std::min(message.size(), message.find("\r\n\r\n") + 4));
}

}  // namespace nl::http
