#include "http/server.h"

#include <gtest/gtest.h>

#include <string>

#include "http/test_server.h"

namespace nl::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(Server, answers_and_keeps_the_connection) {
  TestServer server;
  RawStream stream = server.connect();
  for (int i = 0; i < 3; ++i) {
    stream.send(kGet);
    const std::string answer = stream.read_message();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")) << answer;
    EXPECT_NE(answer.find("\r\ncache-control: no-store\r\n"), std::string::npos);
    EXPECT_NE(answer.find(" GMT\r\n"), std::string::npos);
    EXPECT_EQ(answer.find("connection:"), std::string::npos);
    EXPECT_EQ(body_of(answer), "GET /a  0");
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST(Server, reads_a_request_split_at_every_byte) {
  TestServer server;
  const std::string request =
      "POST /p?q HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x\r\nde\r\n0\r\nx-sum: 1\r\n\r\n";
  RawStream stream = server.connect();
  for (std::size_t split = 1; split < request.size(); ++split) {
    stream.send(request.substr(0, split));
    if (split % 8 == 0) std::this_thread::sleep_for(milliseconds(1));
    stream.send(request.substr(split));
    ASSERT_EQ(body_of(stream.read_message()), "POST /p?q abcde 5") << split;
  }
}

TEST(Server, answers_pipelined_requests_in_order) {
  TestServer server;
  RawStream stream = server.connect();
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

TEST(Server, finds_the_next_request_behind_a_large_body) {
  TestServer server;
  RawStream stream = server.connect();
  std::string chunked = "POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 3000; ++i) chunked += "5\r\nhello\r\n";
  chunked += "0\r\n\r\n";
  const std::string large =
      "POST /l HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" +
      std::string(3000000, 'x');
  stream.send(chunked + large + std::string(kGet));
  EXPECT_TRUE(body_of(stream.read_message()).ends_with(" 15000"));
  EXPECT_TRUE(body_of(stream.read_message()).ends_with(" 3000000"));
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  EXPECT_EQ(server.connections(), 1U);
}

TEST(Server, streams_in_chunks_and_ends_them) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = stream.read_until("0\r\n\r\n");
  EXPECT_NE(answer.find("transfer-encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(answer.find("x-more: 1\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
  stream.send(kGet);
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
}

TEST(Server, old_clients_get_a_stream_until_close) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("GET /stream HTTP/1.0\r\n\r\n");
  const std::string answer = stream.read_to_end();
  EXPECT_EQ(answer.find("transfer-encoding"), std::string::npos);
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(answer), "onetwothree");
  RawStream kept = server.connect();
  kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.read_message().find("connection: keep-alive\r\n"), std::string::npos);
}

TEST(Server, head_requests_get_the_head_alone) {
  TestServer server;
  RawStream stream = server.connect();
  for (const char* path : {"/a", "/stream"}) {
    stream.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_TRUE(stream.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  stream.send(kGet);
  EXPECT_TRUE(stream.read_message().ends_with("GET /a  0"));
}

TEST(Server, an_aborted_stream_has_no_last_chunk) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("GET /cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(body_of(stream.read_to_end()), "3\r\none\r\n");
}

TEST(Server, a_handler_that_does_not_answer_ends_the_connection) {
  TestServer server;
  for (const char* path : {"/silent", "/throw"}) {
    RawStream stream = server.connect();
    stream.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(stream.read_to_end(), "");
  }
  EXPECT_TRUE(server.comes_to_rest());
}

TEST(Server, answers_100_continue_only_to_who_waits_for_it) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send(
      "POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(stream.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  stream.send("abc");
  EXPECT_EQ(body_of(stream.read_message()), "POST /a abc 3");
  stream.send(
      "POST /forbidden HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n");
  EXPECT_TRUE(stream.read_to_end().starts_with("HTTP/1.1 403 "));
  EXPECT_EQ(server.echo.handled, 1);
}

TEST(Server, refusals_before_the_body_close_and_are_readable) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("POST /forbidden HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n" +
              std::string(8000000, 'x'));
  const std::string answer = stream.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(answer.ends_with("no"));
  EXPECT_NE(answer.find("connection: close"), std::string::npos);
  RawStream kept = server.connect();
  kept.send("GET /forbidden HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(kGet));
  EXPECT_TRUE(kept.read_message().starts_with("HTTP/1.1 403 "));
  EXPECT_TRUE(kept.read_message().starts_with("HTTP/1.1 200 ")) << "nothing was left unread";
}

TEST(Server, bad_heads_are_answered_once_and_closed) {
  TestServer server;
  struct Case {
    const char* request;
    const char* begins;
  };
  for (const Case& one : {Case{"GET / HTTP/1.1\n\n", "HTTP/1.1 400 "},
                          Case{"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "},
                          Case{"GET /v1 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
                          Case{"GET /v1 HTTP/3.0\r\nHost: a\r\n\r\n", "HTTP/1.1 505 "},
                          Case{"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 "}}) {
    RawStream stream = server.connect();
    stream.send(one.request + std::string(kGet));
    const std::string answer = stream.read_to_end();
    EXPECT_TRUE(answer.starts_with(one.begins)) << one.request << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << answer;
  }
  EXPECT_EQ(server.echo.handled, 0);
  const std::string named = server.ask("GET /v1/messages?x HTTP/1.1\r\nBad Line\r\n\r\n");
  EXPECT_NE(named.find("refused /v1/messages: "), std::string::npos);
}

TEST(Server, one_empty_line_before_a_request_is_skipped) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("\r\n" + std::string(kGet) + "\r\n" + std::string(kGet) + "\r");
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
  stream.send("\n" + std::string(kGet));
  EXPECT_EQ(body_of(stream.read_message()), "GET /a  0");
}

TEST(Server, exchanges_may_close_after_the_answer) {
  TestServer server;
  RawStream stream = server.connect();
  stream.send("GET /close HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(kGet));
  const std::string answer = stream.read_to_end();
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("GET /a"), std::string::npos);
}

}  // namespace
}  // namespace nl::http
