#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "http/server.h"
#include "http/test_server.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(Server, bodies_have_a_limit) {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  TestServer server(limits);
  const auto post = [](const std::string& rest) {
    return "POST /big HTTP/1.1\r\nHost: localhost\r\n" + rest;
  };
  EXPECT_TRUE(server.ask(post("Content-Length: 1001\r\n\r\n")).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(
      server.ask(post("Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'))).ends_with(" 1000"));
  EXPECT_TRUE(server.ask(post("Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')))
                  .starts_with("HTTP/1.1 413 "));
  const std::string malformed = server.ask(post("Transfer-Encoding: chunked\r\n\r\nzz\r\n"));
  EXPECT_TRUE(malformed.starts_with("HTTP/1.1 400 "));
}

TEST(Server, slow_heads_and_bodies_are_ended) {
  ServerLimits limits;
  limits.head = milliseconds(60);
  limits.body_grace = milliseconds(60);
  TestServer server(limits);
  RawStream head = server.connect();
  head.send("GET /slow HTTP/1.1\r\n");
  EXPECT_TRUE(head.read_to_end().starts_with("HTTP/1.1 408 "));
  RawStream body = server.connect();
  body.send("POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(body.read_to_end().starts_with("HTTP/1.1 408 "));
  RawStream mute = server.connect();
  EXPECT_EQ(mute.read_to_end(), "") << "nothing was asked";
}

TEST(Server, idle_connections_end_quietly) {
  ServerLimits limits;
  limits.idle = milliseconds(60);
  TestServer server(limits);
  RawStream stream = server.connect();
  stream.send(kGet);
  stream.read_message();
  EXPECT_EQ(stream.read_to_end(), "");
}

TEST(Server, without_body_memory_requests_wait_then_get_503) {
  ServerLimits limits;
  limits.body_memory_max = 600 * 1024;
  limits.body_memory_wait = milliseconds(80);
  TestServer server(limits);
  const std::string head = "POST /m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n";
  RawStream first = server.connect();
  first.send(head + std::string(300000, 'x'));
  std::this_thread::sleep_for(milliseconds(30));
  RawStream second = server.connect();
  second.send(head + std::string(300000, 'x'));
  EXPECT_TRUE(second.read_to_end().starts_with("HTTP/1.1 503 "));
  first.send(std::string(100000, 'x'));
  EXPECT_TRUE(first.read_message().ends_with(" 400000"));
  const std::string again = server.ask(head + std::string(400000, 'x'));
  EXPECT_TRUE(again.ends_with(" 400000")) << "memory came back";
}

TEST(Server, a_client_that_does_not_read_is_given_up) {
  ServerLimits limits;
  limits.write_stall = milliseconds(80);
  TestServer server(limits);
  RawStream stream = server.connect();
  stream.send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(server.wait_for([&] { return server.echo.gone == 1 && server.connections() == 0; }));
}

TEST(Server, a_closed_client_is_noticed) {
  TestServer server;
  {
    RawStream stream = server.connect();
    stream.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(server.wait_for([&] { return server.server().active() == 1; }));
  }
  EXPECT_TRUE(server.wait_for([&] { return server.echo.gone == 1; }));
}

TEST(Server, connections_beyond_the_maximum_wait_their_turn) {
  ServerLimits limits;
  limits.connections_max = 2;
  TestServer server(limits);
  RawStream first = server.connect();
  RawStream second = server.connect();
  for (RawStream* stream : {&first, &second}) {
    stream->send(kGet);
    stream->read_message();
  }
  RawStream third = server.connect();
  third.send(kGet);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(server.connections(), 2U);
  first.close();
  EXPECT_EQ(body_of(third.read_message()), "GET /a  0");
}

TEST(Server, drain_closes_idle_connections_and_lets_busy_ones_finish) {
  TestServer server;
  RawStream idle = server.connect();
  idle.send(kGet);
  idle.read_message();
  RawStream busy = server.connect();
  busy.send("POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(server.wait_for([&] { return server.server().active() == 1; }));
  server.on_loop([&] { server.server().drain(); });
  EXPECT_TRUE(idle.at_end());
  busy.send("ok");
  const std::string answer = busy.read_to_end();
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("POST /late ok 2"));
  EXPECT_TRUE(server.wait_for([&] { return server.connections() == 0; }));
}

TEST(Server, shares_its_connections_with_other_loops) {
  TestServer server;
  SystemClock clock;
  Loop other_loop(clock);
  Server other(other_loop, server.echo, ServerLimits());
  std::thread other_thread([&] {
    const auto work = asio::make_work_guard(other_loop.io());
    other_loop.io().run();
  });
  server.on_loop([&] { server.server().share({&other}); });
  std::vector<RawStream> streams;
  for (int i = 0; i < 6; ++i) {
    streams.push_back(server.connect());
    streams.back().send(kGet);
    EXPECT_EQ(body_of(streams.back().read_message()), "GET /a  0");
  }
  EXPECT_EQ(other.connections(), 3U);
  EXPECT_EQ(server.connections(), 3U);
  std::promise<void> stopped;
  asio::post(other_loop.io(), [&] {
    other.stop();
    asio::post(other_loop.io(), [&] { stopped.set_value(); });
  });
  stopped.get_future().get();
  server.on_loop([&] { server.server().stop(); });
  other_loop.io().stop();
  other_thread.join();
}

}  // namespace
}  // namespace nl::http
