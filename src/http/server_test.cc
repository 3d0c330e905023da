#include "http/server.h"

#include <boost/asio/deferred.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "http/listen_lock.h"
#include "http/raw_peer.h"
#include "http/test_loop.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Answers with what it saw, or as the path says.
class Echo final : public Handler {
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
      EXPECT_TRUE(exchange.write_now("three"));
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
        asio::steady_timer pause(exchange.loop().io(), milliseconds(5));
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

// A server on its own thread; the test talks to it over raw sockets.
class ServerTest : public ::testing::Test {
 protected:
  void start(ServerLimits limits = ServerLimits()) {
    server = std::make_unique<Server>(loop, echo, limits);
    const ListenAddress address{"127.0.0.1", 0, ""};
    ASSERT_TRUE(server->listen(address).has_value());
    port = server->ports().front();
    thread = std::thread([this] {
      const auto work = asio::make_work_guard(loop.io());
      loop.io().run();
    });
  }
  // Runs `action` on the loop and waits for it.
  template <typename Action>
  auto on_loop(Action action) {
    std::packaged_task<decltype(action())()> task(std::move(action));
    auto done = task.get_future();
    asio::post(loop.io(), [&task] { task(); });
    return done.get();
  }
  void TearDown() override {
    if (!thread.joinable()) return;
    on_loop([this] { server.reset(); });
    on_loop([] {});  // lets the ended connections go
    loop.io().stop();
    thread.join();
  }
  RawStream connect() const { return RawStream::connect(port); }
  std::string ask(std::string_view request) const {
    RawStream stream = connect();
    stream.send(request);
    return stream.read_message();
  }
  bool wait_for(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !on_loop(done); ++i) std::this_thread::sleep_for(milliseconds(5));
    return on_loop(done);
  }

  SystemClock clock;
  Loop loop{clock};
  Echo echo;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::thread thread;
};

std::string body_of(const std::string& message) {
  return message.substr(std::min(message.size(), message.find("\r\n\r\n") + 4));
}

TEST_F(ServerTest, answers_and_keeps_the_connection) {
  start();
  RawStream stream = connect();
  for (int i = 0; i < 3; ++i) {
    stream.send(kGet);
    const std::string answer = stream.read_message();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")) << answer;
    EXPECT_NE(answer.find("\r\ncache-control: no-store\r\n"), std::string::npos);
    EXPECT_NE(answer.find(" GMT\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("connection:"), std::string::npos);
    EXPECT_EQ(body_of(answer), "GET /a  0");
  }
  EXPECT_EQ(on_loop([this] { return server->connections(); }), 1U);
}

TEST_F(ServerTest, reads_a_request_split_at_every_byte) {
  start();
  const std::string request =
      "POST /p?q HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x\r\nde\r\n0\r\nx-sum: 1\r\n\r\n";
  RawStream stream = connect();
  for (std::size_t split = 1; split < request.size(); ++split) {
    stream.send(request.substr(0, split));
    if (split % 8 == 0) std::this_thread::sleep_for(milliseconds(1));
    stream.send(request.substr(split));
    ASSERT_EQ(body_of(stream.read_message()), "POST /p?q abcde 5") << split;
  }
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  start();
  RawStream stream = connect();
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n" +
           (i % 2 == 0 ? "Content-Length: 2\r\n\r\nok"
                       : "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  }
  stream.send(all);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(body_of(stream.read_message()), "POST /" + std::to_string(i) + " ok 2");
  }
}

TEST_F(ServerTest, finds_the_next_request_behind_a_large_body) {
  start();
  RawStream stream = connect();
  std::string chunked = "POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 3000; ++i) chunked += "5\r\nhello\r\n";
  chunked += "0\r\n\r\n";
  const std::string large = "POST /l HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" +
                            std::string(3000000, 'x');
  stream.send(chunked + large + std::string(kGet));
  EXPECT_TRUE(body_of(stream.read_message()).ends_with(" 15000"));
  EXPECT_TRUE(body_of(stream.read_message()).ends_with(" 3000000"));
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  EXPECT_EQ(on_loop([this] { return server->connections(); }), 1U);
}

TEST_F(ServerTest, streams_in_chunks_and_ends_them) {
  start();
  RawStream stream = connect();
  stream.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = stream.read_until("0\r\n\r\n");
  EXPECT_NE(answer.find("transfer-encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(answer.find("x-more: 1\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
  stream.send(kGet);
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
}

TEST_F(ServerTest, old_clients_get_a_stream_until_close) {
  start();
  RawStream stream = connect();
  stream.send("GET /stream HTTP/1.0\r\n\r\n");
  const std::string answer = stream.read_to_end();
  EXPECT_EQ(answer.find("transfer-encoding"), std::string::npos);
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "onetwothree");
  RawStream kept = connect();
  kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.read_message().find("connection: keep-alive\r\n"), std::string::npos);
}

TEST_F(ServerTest, head_requests_get_the_head_alone) {
  start();
  RawStream stream = connect();
  for (const char* path : {"/a", "/stream"}) {
    stream.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(stream.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  stream.send(kGet);
  EXPECT_TRUE(stream.read_message().ends_with("GET /a  0"));
}

TEST_F(ServerTest, an_aborted_stream_has_no_last_chunk) {
  start();
  RawStream stream = connect();
  stream.send("GET /cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(body_of(stream.read_to_end()), "3\r\none\r\n");
}

TEST_F(ServerTest, a_handler_that_does_not_answer_ends_the_connection) {
  start();
  for (const char* path : {"/silent", "/throw"}) {
    RawStream stream = connect();
    stream.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(stream.read_to_end(), "");
  }
  EXPECT_TRUE(wait_for([this] { return server->connections() == 0 && server->active() == 0; }));
}

TEST_F(ServerTest, answers_100_continue_only_to_who_waits_for_it) {
  start();
  RawStream stream = connect();
  stream.send(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(stream.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  stream.send("abc");
  EXPECT_EQ(body_of(stream.read_message()), "POST /a abc 3");
  stream.send("POST /forbidden HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
              "Content-Length: 3\r\n\r\n");
  EXPECT_TRUE(stream.read_to_end().starts_with("HTTP/1.1 403 "));
  EXPECT_EQ(echo.handled, 1);
}

TEST_F(ServerTest, refusals_before_the_body_close_and_are_readable) {
  start();
  RawStream stream = connect();
  stream.send("POST /forbidden HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n" +
              std::string(8000000, 'x'));
  const std::string answer = stream.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(answer.ends_with("no"));
  EXPECT_NE(answer.find("connection: close"), std::string::npos);
  RawStream kept = connect();
  kept.send("GET /forbidden HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(kGet));
  EXPECT_TRUE(kept.read_message().starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(kept.read_message().starts_with("HTTP/1.1 200 ")) << "nothing was left unread";
}

TEST_F(ServerTest, bad_heads_are_answered_once_and_closed) {
  start();
  struct Case {
    const char* request;
    const char* begins;
  };
  for (const Case& one : {Case{"GET / HTTP/1.1\n\n", "HTTP/1.1 400 "},
                          Case{"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
                          Case{"GET /v1 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
                          Case{"GET /v1 HTTP/3.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 "},
                          Case{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "}}) {
    RawStream stream = connect();
    stream.send(one.request + std::string(kGet));
    const std::string answer = stream.read_to_end();
    EXPECT_TRUE(answer.starts_with(one.begins)) << one.request << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
  }
  EXPECT_EQ(echo.handled, 0);
  EXPECT_NE(ask("GET /v1/messages?x HTTP/1.1\r\nBad Line\r\n\r\n").find("refused /v1/messages: "),
            std::string::npos);
}

TEST_F(ServerTest, one_empty_line_before_a_request_is_skipped) {
  start();
  RawStream stream = connect();
  stream.send("\r\n" + std::string(kGet) + "\r\n" + std::string(kGet) + "\r");
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  stream.send("\n" + std::string(kGet));
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
}

TEST_F(ServerTest, bodies_have_a_limit) {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  start(limits);
  const auto post = [](const std::string& rest) {
    return "POST /big HTTP/1.1\r\nHost: localhost\r\n" + rest;
  };
  EXPECT_TRUE(ask(post("Content-Length: 1001\r\n\r\n")).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask(post("Content-Length: 1000\r\n\r\n" + std::string(1000, 'x')))
                  .ends_with(" 1000"));
  EXPECT_TRUE(ask(post("Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')))
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(ask(post("Transfer-Encoding: chunked\r\n\r\nzz\r\n")).starts_with("HTTP/1.1 400 "));
}

TEST_F(ServerTest, slow_heads_and_bodies_are_ended) {
  ServerLimits limits;
  limits.head = milliseconds(60);
  limits.body_grace = milliseconds(60);
  start(limits);
  RawStream head = connect();
  head.send("GET /slow HTTP/1.1\r\n");
  EXPECT_TRUE(head.read_to_end().starts_with("HTTP/1.1 408 "));
  RawStream body = connect();
  body.send("POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(body.read_to_end().starts_with("HTTP/1.1 408 "));
  RawStream mute = connect();
  EXPECT_EQ(mute.read_to_end(), "") << "nothing was asked";
}

TEST_F(ServerTest, idle_connections_end_quietly) {
  ServerLimits limits;
  limits.idle = milliseconds(60);
  start(limits);
  RawStream stream = connect();
  stream.send(kGet);
  stream.read_message();
  EXPECT_EQ(stream.read_to_end(), "");
}

TEST_F(ServerTest, without_body_memory_requests_wait_then_get_503) {
  ServerLimits limits;
  limits.body_memory_max = 600 * 1024;
  limits.body_memory_wait = milliseconds(80);
  start(limits);
  const std::string head = "POST /m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n";
  RawStream first = connect();
  first.send(head + std::string(300000, 'x'));
  std::this_thread::sleep_for(milliseconds(30));
  RawStream second = connect();
  second.send(head + std::string(300000, 'x'));
  EXPECT_TRUE(second.read_to_end().starts_with("HTTP/1.1 503 "));
  first.send(std::string(100000, 'x'));
  EXPECT_TRUE(first.read_message().ends_with(" 400000"));
  EXPECT_TRUE(ask(head + std::string(400000, 'x')).ends_with(" 400000")) << "memory came back";
}

TEST_F(ServerTest, a_client_that_does_not_read_is_given_up) {
  ServerLimits limits;
  limits.write_stall = milliseconds(80);
  start(limits);
  RawStream stream = connect();
  stream.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(wait_for([this] { return echo.gone == 1 && server->connections() == 0; }));
}

TEST_F(ServerTest, a_closed_client_is_noticed) {
  start();
  {
    RawStream stream = connect();
    stream.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(wait_for([this] { return server->active() == 1; }));
  }
  EXPECT_TRUE(wait_for([this] { return echo.gone == 1; }));
}

TEST_F(ServerTest, connections_beyond_the_maximum_wait_their_turn) {
  ServerLimits limits;
  limits.connections_max = 2;
  start(limits);
  RawStream first = connect();
  RawStream second = connect();
  for (RawStream* stream : {&first, &second}) {
    stream->send(kGet);
    stream->read_message();
  }
  RawStream third = connect();
  third.send(kGet);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(on_loop([this] { return server->connections(); }), 2U);
  first.close();
  EXPECT_EQ(body_of(third.read_message()), "GET /a  0");
}

TEST_F(ServerTest, drain_closes_idle_connections_and_lets_busy_ones_finish) {
  start();
  RawStream idle = connect();
  idle.send(kGet);
  idle.read_message();
  RawStream busy = connect();
  busy.send("POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(wait_for([this] { return server->active() == 1; }));
  on_loop([this] { server->drain(); });
  EXPECT_TRUE(idle.at_end());
  busy.send("ok");
  const std::string answer = busy.read_to_end();
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("POST /late ok 2"));
  EXPECT_TRUE(wait_for([this] { return server->connections() == 0; }));
}

TEST_F(ServerTest, exchanges_may_close_after_the_answer) {
  start();
  RawStream stream = connect();
  stream.send("GET /close HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(kGet));
  const std::string answer = stream.read_to_end();
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("GET /a"), std::string::npos);
}

TEST_F(ServerTest, shares_its_connections_with_other_loops) {
  Loop other_loop(clock);
  Server other(other_loop, echo, ServerLimits());
  std::thread other_thread([&] {
    const auto work = asio::make_work_guard(other_loop.io());
    other_loop.io().run();
  });
  start();
  on_loop([&] { server->share({&other}); });
  std::vector<RawStream> streams;
  for (int i = 0; i < 6; ++i) {
    streams.push_back(connect());
    streams.back().send(kGet);
    EXPECT_EQ(body_of(streams.back().read_message()), "GET /a  0");
  }
  EXPECT_EQ(other.connections(), 3U);
  EXPECT_EQ(on_loop([this] { return server->connections(); }), 3U);
  std::promise<void> stopped;
  asio::post(other_loop.io(), [&] {
    other.stop();
    asio::post(other_loop.io(), [&] { stopped.set_value(); });
  });
  stopped.get_future().get();
  on_loop([this] { server->stop(); });
  other_loop.io().stop();
  other_thread.join();
}

TEST(ListenAddresses, are_parsed_strictly) {
  const auto v4 = parse_listen_address("127.0.0.1:2300");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 2300);
  EXPECT_EQ(parse_listen_address("[::1]:0")->host, "::1");
  EXPECT_EQ(parse_listen_address("localhost:1")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock")->unix_path, "/run/x.sock");
  for (const char* text : {"", "2300", ":2300", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                           "127.0.0.1:70000", "::1:2300", "example.com:80", "unix:x", "1.2.3:4"}) {
    EXPECT_FALSE(parse_listen_address(text).has_value()) << text;
  }
}

class TempFolder {
 public:
  TempFolder() : path_("/tmp/nl-http-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST_F(ServerTest, a_bound_address_cannot_be_bound_again) {
  start();
  SystemClock other_clock;
  Loop other_loop(other_clock);
  Server other(other_loop, echo, ServerLimits());
  const ListenAddress address{"127.0.0.1", port, ""};
  const auto again = other.listen(address);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::io);
  EXPECT_EQ(again.error().message,
            "address 127.0.0.1:" + std::to_string(port) + " is already in use");
}

TEST(UnixListener, is_private_and_replaces_only_what_nobody_serves) {
  const TempFolder folder;
  const ListenAddress address{"", 0, folder.file("s")};
  SystemClock clock;
  Echo echo;
  Loop loop(clock);
  {
    Server server(loop, echo, ServerLimits());
    ASSERT_TRUE(server.listen(address).has_value());
    struct stat found {};
    ASSERT_EQ(stat(address.unix_path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    Server other(loop, echo, ServerLimits());
    EXPECT_FALSE(other.listen(address).has_value()) << "somebody serves it";
  }
  EXPECT_NE(access(address.unix_path.c_str(), F_OK), 0) << "removed at the end";
  {
    boost::asio::io_context io;
    // What a killed process leaves behind.
    boost::asio::local::stream_protocol::acceptor left(io, {address.unix_path});
  }
  Server server(loop, echo, ServerLimits());
  EXPECT_TRUE(server.listen(address).has_value());
  std::ofstream(folder.file("plain")) << "mine";
  const ListenAddress plain{"", 0, folder.file("plain")};
  EXPECT_FALSE(server.listen(plain).has_value()) << "not a socket: left alone";
}

TEST(ListenLocks, name_the_process_that_holds_the_address) {
  const TempFolder folder;
  const ListenAddress address{"127.0.0.1", 2300, ""};
  auto lock = ListenLock::take(folder.path(), address);
  ASSERT_TRUE(lock.has_value()) << lock.error().message;
  const auto second = ListenLock::take(folder.path(), address);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message, "address 127.0.0.1:2300 is already served by nightlight, pid " +
                                        std::to_string(getpid()));
  const ListenAddress v6{"::1", 2300, ""};
  EXPECT_TRUE(ListenLock::take(folder.path(), v6).has_value());
  lock->reset();
  EXPECT_TRUE(ListenLock::take(folder.path(), address).has_value());
  EXPECT_FALSE(ListenLock::take(folder.file("missing"), address).has_value());
}

}  // namespace
}  // namespace nl::http
