#include "http/tls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>

#include "http/client.h"
#include "http/raw_peer.h"
#include "http/test_certificates.h"
#include "http/test_loop.h"

namespace nl::http {
namespace {

// The server's end of a TLS connection, blocking.
class ServerEnd {
 public:
  ServerEnd(SSL_CTX* context, RawStream& stream) : ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), stream.native());
    ready_ = SSL_accept(ssl_.get()) == 1;
  }

  bool ready() const { return ready_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  void send(const std::string& text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  std::string read_head() {
    std::string text;
    char byte = 0;
    while (!text.ends_with("\r\n\r\n") && SSL_read(ssl_.get(), &byte, 1) == 1) text += byte;
    return text;
  }
  void close_properly() { SSL_shutdown(ssl_.get()); }

 private:
  ServerSsl ssl_;
  bool ready_ = false;
};

constexpr const char* kHello = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

class TlsTest : public ::testing::Test {
 public:
  TlsTest() { authority.write_pem(folder.file("ca.pem")); }

  ClientOptions options() const {
    ClientOptions made;
    made.extra_ca_file = folder.file("ca.pem");
    made.lookup = [](const std::string&) { return std::vector<std::string>{"127.0.0.1"}; };
    return made;
  }

  static asio::awaitable<Result<std::string>> ask(Loop& loop, Client& client, Endpoint endpoint) {
    Cancel cancel;
    const Outgoing outgoing{"GET", "/", "", ""};
    const Instant until = loop.now() + std::chrono::seconds(8);
    auto call = co_await client.send(endpoint, outgoing, cancel, until);
    if (!call) co_return std::unexpected(call.error());
    std::string body;
    while (!(*call)->complete()) {
      const auto piece = co_await (*call)->read(until);
      if (!piece) co_return std::unexpected(piece.error());
      body += *piece;
    }
    co_return body;
  }
  Result<std::string> get(Client& client, const std::string& host, std::uint16_t port) {
    Endpoint endpoint;
    endpoint.host = host;
    endpoint.port = port;
    return run_on(loop, ask(loop, client, endpoint));
  }
  // One request to a server with a certificate for `wanted`, as `host`.
  Result<std::string> get_from(const Wanted& wanted, const std::string& host) {
    const ServerContext context = authority.server(wanted);
    RawPeer peer([&](RawStream& stream, int) {
      ServerEnd end(context.get(), stream);
      if (!end.ready()) return;
      end.read_head();
      end.send(kHello);
    });
    Client client(loop, options());
    return get(client, host, peer.port());
  }

  SystemClock clock;
  Loop loop{clock};
  TempFolder folder;
  TestAuthority authority;
};

TEST_F(TlsTest, a_valid_certificate_for_the_name_is_accepted) {
  const auto by_name = get_from(Wanted{"DNS:api.test"}, "api.test");
  ASSERT_TRUE(by_name.has_value()) << by_name.error().message;
  EXPECT_EQ(*by_name, "hello");
  EXPECT_TRUE(get_from(Wanted{"IP:127.0.0.1"}, "127.0.0.1").has_value());
}

TEST_F(TlsTest, certificates_that_prove_nothing_are_refused) {
  const TestAuthority stranger;
  const auto refused = [](const Result<std::string>& result) {
    return !result && result.error().code == ErrorCode::tls;
  };
  EXPECT_TRUE(refused(get_from(Wanted{"DNS:other.test"}, "api.test"))) << "wrong name";
  EXPECT_TRUE(refused(get_from(Wanted{"DNS:*.test"}, "a.b.test"))) << "wildcard too deep";
  EXPECT_TRUE(refused(get_from(Wanted{"DNS:api.test"}, "127.0.0.1"))) << "name for an address";
  EXPECT_TRUE(refused(get_from(Wanted{"DNS:api.test", -7200, -3600}, "api.test"))) << "expired";
  EXPECT_TRUE(refused(get_from(Wanted{"DNS:api.test", 3600, 7200}, "api.test"))) << "not yet valid";
  stranger.write_pem(folder.file("ca.pem"));
  const auto unknown = get_from(Wanted{"DNS:api.test"}, "api.test");
  EXPECT_TRUE(refused(unknown)) << "unknown authority";
  EXPECT_NE(unknown.error().message.find("api.test"), std::string::npos);
}

TEST_F(TlsTest, old_versions_are_refused) {
  const ServerContext context = authority.server(Wanted{"DNS:api.test"});
  SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  RawPeer peer([&](RawStream& stream, int) { ServerEnd(context.get(), stream); });
  Client client(loop, options());
  const auto answer = get(client, "api.test", peer.port());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::tls);
}

TEST_F(TlsTest, sessions_are_resumed) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const ServerContext context = authority.server(Wanted{"DNS:api.test"});
    SSL_CTX_set_max_proto_version(context.get(), version);
    std::atomic<int> resumed{0};
    RawPeer peer([&](RawStream& stream, int) {
      ServerEnd end(context.get(), stream);
      if (end.resumed()) ++resumed;
      end.read_head();
      end.send(kHello);
    });
    Client client(loop, options());
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(get(client, "api.test", peer.port()).has_value());
      client.drop_pool();
    }
    EXPECT_EQ(client.dialled(), 3U);
    EXPECT_EQ(resumed, 2) << version;
  }
}

TEST_F(TlsTest, kept_connections_are_used_again) {
  const ServerContext context = authority.server(Wanted{"DNS:api.test"});
  RawPeer peer([&](RawStream& stream, int) {
    ServerEnd end(context.get(), stream);
    while (!end.read_head().empty()) end.send(kHello);
  });
  Client client(loop, options());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(get(client, "api.test", peer.port()).has_value());
  EXPECT_EQ(client.dialled(), 1U);
  client.drop_pool();
}

TEST_F(TlsTest, large_bodies_pass_both_ways) {
  const std::string large(2 << 20, 'x');
  const ServerContext context = authority.server(Wanted{"DNS:api.test"});
  RawPeer peer([&](RawStream& stream, int) {
    ServerEnd end(context.get(), stream);
    end.read_head();
    end.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(large.size()) + "\r\n\r\n");
    for (std::size_t at = 0; at < large.size(); at += 65536) end.send(large.substr(at, 65536));
  });
  Client client(loop, options());
  const auto answer = get(client, "api.test", peer.port());
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->size(), large.size());
}

TEST_F(TlsTest, a_body_until_close_must_be_closed_properly) {
  const ServerContext context = authority.server(Wanted{"DNS:api.test"});
  RawPeer peer([&](RawStream& stream, int connection) {
    ServerEnd end(context.get(), stream);
    end.read_head();
    end.send("HTTP/1.1 200 OK\r\n\r\nhel");
    if (connection == 1) end.close_properly();
  });
  Client client(loop, options());
  EXPECT_EQ(get(client, "api.test", peer.port()), "hel");
  const auto cut = get(client, "api.test", peer.port());
  ASSERT_FALSE(cut.has_value()) << "a cut is no end";
  EXPECT_EQ(cut.error().code, ErrorCode::reset);
}

TEST_F(TlsTest, a_silent_handshake_runs_into_its_budget) {
  RawPeer peer([](RawStream& stream, int) { stream.read_to_end(); });
  ClientOptions impatient = options();
  impatient.budgets.tls = std::chrono::milliseconds(50);
  Client client(loop, impatient);
  const auto answer = get(client, "api.test", peer.port());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::tls);
}

TEST_F(TlsTest, goes_through_the_proxy_end_to_end) {
  const ServerContext context = authority.server(Wanted{"DNS:api.test"});
  std::string asked;
  RawPeer proxy([&](RawStream& stream, int connection) {
    asked = stream.read_until("\r\n\r\n");
    if (connection == 2) {
      stream.send("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    stream.send("HTTP/1.1 200 Connection established\r\n\r\n");
    ServerEnd end(context.get(), stream);
    if (!end.ready()) return;
    end.read_head();
    end.send(kHello);
  });
  ClientOptions through = options();
  through.https_proxy = "http://user:p%40ss@127.0.0.1:" + std::to_string(proxy.port());
  through.no_proxy = "direct.test";
  Client client(loop, through);
  EXPECT_EQ(get(client, "api.test", 4433), "hello");
  EXPECT_EQ(asked,
            "CONNECT api.test:4433 HTTP/1.1\r\nhost: api.test:4433\r\n"
            "proxy-authorization: Basic dXNlcjpwQHNz\r\n\r\n");
  client.drop_pool();
  const auto refused = get(client, "api.test", 4433);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::connect);
  const auto direct = get(client, "direct.test", 1);
  ASSERT_FALSE(direct.has_value());
  EXPECT_EQ(proxy.connections(), 2) << "excluded hosts and loopback do not use it";
}

TEST_F(TlsTest, a_ca_file_that_cannot_be_read_is_a_configuration_error) {
  ClientOptions broken = options();
  broken.extra_ca_file = folder.file("missing.pem");
  RawPeer peer([](RawStream& stream, int) { stream.read_to_end(); });
  Client client(loop, broken);
  const auto answer = get(client, "api.test", peer.port());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::config);
}

}  // namespace
}  // namespace nl::http
