#include "http/listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <fstream>
#include <string>

#include "http/client.h"
#include "http/listen_lock.h"
#include "http/test_loop.h"
#include "http/test_server.h"

namespace nl::http {
namespace {

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

TEST(Server, a_bound_address_cannot_be_bound_again) {
  TestServer server;
  SystemClock other_clock;
  Loop other_loop(other_clock);
  Server other(other_loop, server.echo, ServerLimits());
  const ListenAddress address{"127.0.0.1", server.port(), ""};
  const auto again = other.listen(address);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::io);
  EXPECT_EQ(again.error().message,
            "address 127.0.0.1:" + std::to_string(server.port()) + " is already in use");
}

TEST(UnixListener, is_private_and_replaces_only_what_nobody_serves) {
  const TempFolder folder;
  const ListenAddress address{"", 0, folder.file("s")};
  SystemClock clock;
  EchoHandler echo;
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

asio::awaitable<std::string> ask_over(Loop& loop, Client& client, Endpoint endpoint) {
  Cancel cancel;
  const Outgoing outgoing{"POST", "/a", "", "hello"};
  const Instant until = loop.now() + std::chrono::seconds(5);
  auto call = co_await client.send(endpoint, outgoing, cancel, until);
  if (!call) co_return call.error().message;
  std::string text;
  while (!(*call)->complete()) {
    const auto piece = co_await (*call)->read(until);
    if (!piece) co_return piece.error().message;
    text += *piece;
  }
  co_return text;
}

TEST(UnixListener, serves_our_own_client_on_the_same_loop) {
  const TempFolder folder;
  SystemClock clock;
  EchoHandler echo;
  Loop loop(clock);
  Server server(loop, echo, ServerLimits());
  const ListenAddress address{"", 0, folder.file("s")};
  ASSERT_TRUE(server.listen(address).has_value());
  Client client(loop, ClientOptions());
  const auto base = parse_base_url("unix:" + folder.file("s"));
  ASSERT_TRUE(base.has_value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run_on(loop, ask_over(loop, client, base->endpoint)), "POST /a hello 5");
  }
  EXPECT_EQ(client.dialled(), 1U);
  Endpoint nobody = base->endpoint;
  nobody.host += "-missing";
  EXPECT_NE(run_on(loop, ask_over(loop, client, nobody)).find("cannot connect"), std::string::npos);

  client.drop_pool();
  Endpoint ours = base->endpoint;
  ours.listener_group = getpgid(0);
  EXPECT_EQ(run_on(loop, ask_over(loop, client, ours)), "POST /a hello 5");
  client.drop_pool();
  Endpoint of_another = base->endpoint;
  of_another.listener_group = 1;
  EXPECT_NE(run_on(loop, ask_over(loop, client, of_another)).find("another program listens on"),
            std::string::npos);
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
