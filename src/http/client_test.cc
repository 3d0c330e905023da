#include "http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "http/raw_peer.h"
#include "http/test_loop.h"

namespace nl::http {
namespace {

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

struct Told {
  int status = 0;
  std::string body;
  std::optional<Error> error;
  bool reused = false;
  int pieces = 0;
};

asio::awaitable<Told> read_whole(Call& call, Instant until) {
  Told told;
  told.status = call.head().status;
  told.reused = call.reused();
  while (!call.complete()) {
    const auto piece = co_await call.read(until);
    if (!piece) {
      told.error = piece.error();
      break;
    }
    told.body += *piece;
    if (!piece->empty()) ++told.pieces;
  }
  co_return told;
}

// Public, so that the tests' coroutines can be told of it.
class ClientTest : public ::testing::Test {
 public:
  Endpoint at(std::uint16_t port) const {
    Endpoint endpoint;
    endpoint.scheme = Scheme::http;
    endpoint.host = "127.0.0.1";
    endpoint.port = port;
    return endpoint;
  }

  asio::awaitable<Told> ask(Endpoint endpoint, std::string body, Duration patience) {
    const Outgoing outgoing{"POST", "/v1/x", "x-test: yes\r\n", body};
    const Instant until = loop.now() + patience;
    auto call = co_await client.send(endpoint, outgoing, cancel, until);
    if (!call) {
      Told told;
      told.error = call.error();
      co_return told;
    }
    co_return co_await read_whole(**call, until);
  }
  Told tell(std::uint16_t port, std::string body = "{}",
            Duration patience = std::chrono::seconds(5)) {
    return run_on(loop, ask(at(port), std::move(body), patience));
  }

  SystemClock clock;
  Loop loop{clock};
  Client client{loop, ClientOptions()};
  Cancel cancel;
};

TEST_F(ClientTest, sends_a_request_and_reads_a_framed_answer) {
  std::string seen;
  RawPeer peer([&](RawStream& stream, int) {
    seen = stream.read_message();
    stream.send(kHello);
  });
  const Told told = tell(peer.port(), "{\"a\":1}");
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, "hello");
  EXPECT_FALSE(told.error.has_value());
  const std::string host = "127.0.0.1:" + std::to_string(peer.port());
  EXPECT_EQ(seen, "POST /v1/x HTTP/1.1\r\nhost: " + host +
                      "\r\nx-test: yes\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
}

TEST_F(ClientTest, keeps_the_connection_after_a_complete_answer_and_only_then) {
  RawPeer peer([&](RawStream& stream, int connection) {
    for (int i = 0; i < 2; ++i) {
      if (stream.read_message().empty()) return;
      stream.send(connection == 1 ? kHello : "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello");
      if (connection == 2) return;
    }
  });
  EXPECT_FALSE(tell(peer.port()).reused);
  EXPECT_EQ(client.pooled(), 1U);
  EXPECT_TRUE(tell(peer.port()).reused);
  EXPECT_EQ(client.dialled(), 1U);
  const Told cut = tell(peer.port());
  EXPECT_EQ(cut.body, "hello");
  ASSERT_TRUE(cut.error.has_value());
  EXPECT_EQ(cut.error->code, ErrorCode::truncated);
  EXPECT_EQ(client.pooled(), 0U);
}

TEST_F(ClientTest, every_split_of_an_answer_reads_the_same) {
  const std::string answer =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x\r\n world\r\n0\r\nx-sum: 1\r\n\r\n";
  std::atomic<std::size_t> split{0};
  RawPeer peer([&](RawStream& stream, int) {
    while (!stream.read_message().empty()) {
      stream.send(answer.substr(0, split));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      stream.send(answer.substr(split));
    }
  });
  for (split = 1; split < answer.size(); ++split) {
    const Told told = tell(peer.port());
    ASSERT_EQ(told.body, "hello world") << split;
    ASSERT_FALSE(told.error.has_value()) << split;
  }
  EXPECT_EQ(client.dialled(), 1U);
  client.drop_pool();
}

TEST_F(ClientTest, chunks_of_one_read_come_as_one_piece) {
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    stream.send(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  });
  const Told told = tell(peer.port());
  EXPECT_EQ(told.body, "ab");
  EXPECT_EQ(told.pieces, 1);
}

TEST_F(ClientTest, reads_large_bodies_of_every_framing) {
  std::string large(3 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); i += 997) large[i] = static_cast<char>('a' + i % 26);
  RawPeer peer([&](RawStream& stream, int connection) {
    stream.read_message();
    if (connection == 1) {
      stream.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(large.size()) +
                  "\r\n\r\n" + large);
    } else {
      stream.send("HTTP/1.1 200 OK\r\n\r\n" + large);
    }
  });
  EXPECT_TRUE(tell(peer.port()).body == large);
  client.drop_pool();
  const Told until_close = tell(peer.port());
  EXPECT_TRUE(until_close.body == large);
  EXPECT_FALSE(until_close.error.has_value());
  EXPECT_EQ(client.pooled(), 0U) << "ended by close";
}

TEST_F(ClientTest, bytes_behind_an_answer_end_the_connection) {
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    stream.send(std::string(kHello) + "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
  });
  EXPECT_EQ(tell(peer.port()).body, "hello");
  EXPECT_EQ(client.pooled(), 0U);
}

TEST_F(ClientTest, a_stale_kept_connection_is_replaced_once_and_unseen) {
  RawPeer peer([&](RawStream& stream, int connection) {
    stream.read_message();
    stream.send(kHello);
    if (connection == 1) {
      stream.read_message();  // takes the second request, then breaks without a byte
      stream.reset();
    }
  });
  EXPECT_EQ(tell(peer.port()).body, "hello");
  const Told told = tell(peer.port());
  EXPECT_EQ(told.body, "hello");
  EXPECT_FALSE(told.reused);
  EXPECT_EQ(client.dialled(), 2U);
}

TEST_F(ClientTest, a_fresh_connection_that_breaks_is_an_error_at_once) {
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    stream.reset();
  });
  const Told told = tell(peer.port());
  ASSERT_TRUE(told.error.has_value());
  EXPECT_EQ(told.error->code, ErrorCode::reset);
  EXPECT_EQ(peer.connections(), 1);
}

TEST_F(ClientTest, a_silent_peer_runs_into_the_deadline_and_reading_may_go_on) {
  std::atomic<bool> go{false};
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    stream.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe");
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stream.send("llo");
  });
  const auto work = [](ClientTest* test, std::uint16_t port,
                       std::atomic<bool>* then) -> asio::awaitable<std::string> {
    const Outgoing outgoing{"POST", "/", "", "{}"};
    const Endpoint endpoint = test->at(port);
    auto call = co_await test->client.send(endpoint, outgoing, test->cancel, Instant::max());
    std::string text(*co_await (*call)->read(test->loop.now() + std::chrono::seconds(5)));
    const auto late = co_await (*call)->read(test->loop.now() + std::chrono::milliseconds(30));
    if (late || late.error().code != ErrorCode::timeout) co_return "no timeout";
    *then = true;
    text += *co_await (*call)->read(test->loop.now() + std::chrono::seconds(5));
    co_return text;
  };
  EXPECT_EQ(run_on(loop, work(this, peer.port(), &go)), "hello");
  RawPeer mute([&](RawStream& stream, int) { stream.read_to_end(); });
  const Told told = tell(mute.port(), "{}", std::chrono::milliseconds(50));
  ASSERT_TRUE(told.error.has_value());
  EXPECT_EQ(told.error->code, ErrorCode::timeout);
}

TEST_F(ClientTest, cancel_ends_a_wait_and_closes_the_connection) {
  std::atomic<bool> asked{false}, closed{false};
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    asked = true;
    stream.read_to_end();
    closed = true;
  });
  std::optional<Told> told;
  asio::co_spawn(loop.io(), ask(at(peer.port()), "{}", std::chrono::seconds(60)),
                 [&](std::exception_ptr, Told result) { told = std::move(result); });
  ASSERT_TRUE(run_until(loop, [&] { return asked.load(); }));
  cancel.fire();
  ASSERT_TRUE(run_until(loop, [&] { return told.has_value() && closed; }));
  EXPECT_EQ(told->error->code, ErrorCode::cancelled);
  EXPECT_EQ(tell(peer.port()).error->code, ErrorCode::cancelled) << "and stays so";
}

TEST_F(ClientTest, malformed_answers_are_protocol_errors) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\nA: b\r\n\r\n", "220 smtp ready\r\n\r\n", "HTTP/1.1 101 Up\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"}) {
    RawPeer peer([&](RawStream& stream, int) {
      stream.read_message();
      stream.send(answer);
    });
    const Told told = tell(peer.port());
    ASSERT_TRUE(told.error.has_value()) << answer;
    EXPECT_EQ(told.error->code, ErrorCode::protocol) << answer;
    EXPECT_EQ(client.pooled(), 0U);
  }
}

TEST_F(ClientTest, endless_heads_and_interim_answers_are_bounded) {
  RawPeer peer([&](RawStream& stream, int connection) {
    stream.read_message();
    std::string text = connection == 1 ? "HTTP/1.1 200 OK\r\n" : "";
    for (int i = 0; i < 4000; ++i) {
      text += connection == 1 ? "x-filler: 0123456789\r\n" : "HTTP/1.1 103 Hints\r\n\r\n";
    }
    stream.send(text);
  });
  EXPECT_EQ(tell(peer.port()).error->code, ErrorCode::protocol);
  EXPECT_EQ(tell(peer.port()).error->code, ErrorCode::protocol);
}

TEST_F(ClientTest, an_early_refusal_of_a_large_request_is_read) {
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_until("\r\n\r\n");
    stream.send("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig");
    stream.end_writing();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  const Told told = tell(peer.port(), std::string(32 << 20, 'x'));
  EXPECT_EQ(told.status, 413) << (told.error ? told.error->message : "");
}

TEST_F(ClientTest, a_refused_connection_is_a_connect_error_that_names_the_host) {
  std::uint16_t port = 0;
  {
    RawPeer gone([](RawStream&, int) {});
    port = gone.port();
  }
  const Told told = tell(port);
  ASSERT_TRUE(told.error.has_value());
  EXPECT_EQ(told.error->code, ErrorCode::connect);
  EXPECT_NE(told.error->message.find("127.0.0.1"), std::string::npos);
}

TEST_F(ClientTest, idle_connections_leave_the_pool) {
  ClientOptions options;
  options.budgets.pool_idle = std::chrono::milliseconds(40);
  Client impatient(loop, options);
  RawPeer peer([&](RawStream& stream, int) {
    stream.read_message();
    stream.send(kHello);
    stream.read_to_end();
  });
  const auto work = [](ClientTest* test, Client* with,
                       std::uint16_t port) -> asio::awaitable<Told> {
    const Outgoing outgoing{"GET", "/", "", ""};
    const Endpoint endpoint = test->at(port);
    auto call = co_await with->send(endpoint, outgoing, test->cancel, Instant::max());
    co_return co_await read_whole(**call, Instant::max());
  };
  EXPECT_EQ(run_on(loop, work(this, &impatient, peer.port())).body, "hello");
  EXPECT_EQ(impatient.pooled(), 1U);
  EXPECT_TRUE(run_until(loop, [&] { return impatient.pooled() == 0; }));
}

TEST_F(ClientTest, malformed_targets_never_leave) {
  const auto work = [](ClientTest* test) -> asio::awaitable<int> {
    const Endpoint endpoint = test->at(1);
    for (const char* target : {"x", "", "/a b", "/a\r\nx: y", "/\xe4"}) {
      const Outgoing outgoing{"GET", target, "", ""};
      auto call = co_await test->client.send(endpoint, outgoing, test->cancel, Instant::max());
      if (call || call.error().code != ErrorCode::internal) co_return 1;
    }
    co_return 0;
  };
  EXPECT_EQ(run_on(loop, work(this)), 0);
}

TEST(BaseUrls, are_taken_apart) {
  const auto base = parse_base_url("https://api.example.com/v1/");
  ASSERT_TRUE(base.has_value());
  EXPECT_EQ(base->endpoint.host, "api.example.com");
  EXPECT_EQ(base->endpoint.port, 443);
  EXPECT_EQ(base->path, "/v1");
  EXPECT_EQ(base->endpoint.authority(), "api.example.com");
  const auto v6 = parse_base_url("http://[::1]:8080");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->endpoint.host, "::1");
  EXPECT_EQ(v6->endpoint.authority(), "[::1]:8080");
  const auto local = parse_base_url("unix:/run/engine.sock:/v1");
  ASSERT_TRUE(local.has_value());
  EXPECT_EQ(local->endpoint.host, "/run/engine.sock");
  EXPECT_EQ(local->path, "/v1");
}

TEST(BaseUrls, with_anything_odd_are_refused) {
  for (const char* url :
       {"", "api.example.com", "ftp://a", "https://", "https://u:p@a", "https://a?b", "https://a#b",
        "https://a b", "https://a:0", "https://a:99999", "https:///v1", "https://a/\x01",
        "http://\xc3\xa4", "unix:relative"}) {
    EXPECT_FALSE(parse_base_url(url).has_value()) << url;
  }
}

}  // namespace
}  // namespace nl::http
