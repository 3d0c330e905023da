#include "http/head.h"

#include <gtest/gtest.h>

#include <string>

#include "http/fields.h"

namespace nl::http {
namespace {

Result<RequestHead> parse(const std::string& text) {
  const auto end = find_head_end(text, kHeadBytesMax);
  if (!end) return std::unexpected(end.error());
  if (*end == 0) return fail(ErrorCode::truncated, "incomplete");
  return parse_request_head(std::string_view(text).substr(0, *end));
}

// 0 when accepted, the status of the refusal otherwise.
int status_of(const std::string& text) {
  const auto head = parse(text);
  return head ? 0 : head.error().status;
}

std::string post(const std::string& lines) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n";
}

TEST(RequestHead, is_read_whole) {
  const std::string text =
      "POST /v1/messages?beta=true HTTP/1.1\r\nHost: localhost:2300\r\nContent-Length: 12\r\n"
      "X-Api-Key:  secret \r\nExpect: 100-Continue\r\n\r\n{";
  const auto head = parse(text);
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1/messages?beta=true");
  EXPECT_EQ(head->path, "/v1/messages");
  EXPECT_EQ(head->query, "beta=true");
  EXPECT_EQ(head->host, "localhost:2300");
  EXPECT_EQ(head->framing, Framing::length);
  EXPECT_EQ(head->content_length, 12U);
  EXPECT_EQ(head->headers.find("x-api-key"), "secret");
  EXPECT_EQ(head->headers.find("absent"), std::nullopt);
  EXPECT_TRUE(head->expects_continue);
  EXPECT_TRUE(head->keep_alive);
}

TEST(RequestHead, end_is_found_at_every_byte) {
  const std::string text = post("A: b\r\nContent-Length: 1\r\n") + "x";
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    const auto end = find_head_end(std::string_view(text).substr(0, size), kHeadBytesMax);
    ASSERT_TRUE(end.has_value()) << size;
    EXPECT_EQ(*end, 0U) << size;
  }
  EXPECT_EQ(find_head_end(text, kHeadBytesMax), text.size() - 1);
  EXPECT_EQ(find_head_end(text.substr(0, text.size() - 1), kHeadBytesMax), text.size() - 1);
}

TEST(RequestHead, body_bytes_are_not_judged_as_a_head) {
  const std::string text = post("") + std::string("\0\n\n", 3);
  EXPECT_EQ(find_head_end(text, kHeadBytesMax), text.size() - 3);
}

TEST(RequestHead, ends_of_lines_are_strict) {
  EXPECT_FALSE(find_head_end("GET / HTTP/1.1\n", kHeadBytesMax).has_value());
  EXPECT_FALSE(find_head_end("\n", kHeadBytesMax).has_value());
  EXPECT_FALSE(find_head_end(std::string_view("GE\0T", 4), kHeadBytesMax).has_value());
  EXPECT_EQ(status_of("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of(post("A: b\rC: d\r\n")), 400);
  EXPECT_EQ(status_of(post("A: b\r\n folded\r\n")), 400);
  EXPECT_EQ(status_of(post("A: b\r\n\tfolded\r\n")), 400);
}

TEST(RequestHead, has_bounds) {
  EXPECT_EQ(find_head_end(std::string(kHeadBytesMax, 'a'), kHeadBytesMax).error().status, 431);
  std::string many;
  for (std::size_t i = 0; i < kHeadersMax - 1; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(post(many)), 0);
  EXPECT_EQ(status_of(post(many + "A: b\r\n")), 431);
  const std::string most = post("A: " + std::string(kHeadBytesMax - 41, 'b') + "\r\n");
  EXPECT_EQ(most.size(), kHeadBytesMax);
  EXPECT_EQ(status_of(most), 0);
  EXPECT_EQ(status_of(post("A: " + std::string(kHeadBytesMax - 40, 'b') + "\r\n")), 431);
}

TEST(RequestHead, request_lines_are_strict) {
  const auto line = [](const std::string& first) { return first + "\r\nHost: a\r\n\r\n"; };
  EXPECT_EQ(status_of(line("GET / HTTP/1.1")), 0);
  EXPECT_EQ(status_of(line("M-SEARCH /x HTTP/1.1")), 0);
  for (const char* first : {"GET /",
                            "GET  / HTTP/1.1",
                            "GET / HTTP/1.1 ",
                            " GET / HTTP/1.1",
                            "GET\t/ HTTP/1.1",
                            "GET: / HTTP/1.1",
                            "G\xc3\xa4T / HTTP/1.1",
                            "GET / http/1.1",
                            "GET / HTTP/1.1x",
                            "GET / HTTP/11",
                            "GET / ICE/1.0",
                            "GET / RTSP/1.0",
                            "GET foo HTTP/1.1",
                            "GET * HTTP/1.1",
                            "GET /a b HTTP/1.1",
                            "GET /a#b HTTP/1.1",
                            "GET /\xc3\xa4 HTTP/1.1",
                            "GET /\x7f HTTP/1.1",
                            "GET /\x01 HTTP/1.1",
                            "CONNECT a:443 HTTP/1.1",
                            "GET https://a/ HTTP/1.1",
                            "GET //a b HTTP/1.1",
                            "PUT s://]ufd/: HTTP/1.1",
                            "GET a/b HTTP/1.1",
                            ""}) {
    EXPECT_EQ(status_of(line(first)), 400) << first;
  }
  EXPECT_EQ(status_of(line("GET / HTTP/2.0")), 505);
  EXPECT_EQ(status_of(line("GET / HTTP/1.2")), 505);
  EXPECT_EQ(status_of(line("GET / HTTP/0.9")), 505);
  EXPECT_EQ(status_of(line(std::string(33, 'G') + " / HTTP/1.1")), 400);
}

TEST(RequestHead, absolute_targets_must_name_the_host) {
  const std::string good = "GET http://example.com/foo?q=1 HTTP/1.1\r\nHost: Example.com\r\n\r\n";
  const auto head = parse(good);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->path, "/foo");
  EXPECT_EQ(head->query, "q=1");
  EXPECT_EQ(status_of("GET http://[::1]:8080/ HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  const std::string bare_text = "GET http://a?x=1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto bare = parse(bare_text);
  ASSERT_TRUE(bare.has_value());
  EXPECT_EQ(bare->path, "/");
  EXPECT_EQ(bare->query, "x=1");
}

TEST(RequestHead, host_is_one_and_clean) {
  const auto with = [](const std::string& lines) { return "GET / HTTP/1.1\r\n" + lines + "\r\n"; };
  EXPECT_EQ(status_of(with("")), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(status_of(with("Host: a\r\nHost: a\r\n")), 400);
  EXPECT_EQ(status_of(with("Host: a\r\nhOST: b\r\n")), 400);
  for (const char* host : {"127.0.0.1:2300", "localhost", "[::1]", "[::1]:80", "a_b.c", "a=5"}) {
    EXPECT_EQ(status_of(with("Host: " + std::string(host) + "\r\n")), 0) << host;
  }
  for (const char* host :
       {"",     "a/b",   "a@b",    "a b",      "a,b",     "a:",  "a:0",  "a:65536",
        "a:1x", "[::1",  "[::1]x", "[zz]",     "[]",      ":80", "a\tb", "a?b",
        "a#b",  "a%20b", "[::1]:", "http://a", "a:80:80", "\xe4"}) {
    EXPECT_EQ(status_of(with("Host: " + std::string(host) + "\r\n")), 400) << host;
  }
}

TEST(RequestHead, header_lines_are_strict) {
  for (const char* line :
       {"A : b", " A: b", "A\t: b", ": b", "no colon", "A\xe4: b", "A(: b", "A: b\x01", "A: b\x7f",
        "A: \x0b", "X: a\tTransfer-Encoding: chunked", "X: a\xe4 Content-Length : 5"}) {
    EXPECT_EQ(status_of(post(std::string(line) + "\r\n")), 400) << line;
  }
  EXPECT_EQ(status_of(post("A:b\r\nA_b: \xe4\r\nE:\r\nT:\ta\tb\t\r\n")), 0);
  EXPECT_EQ(status_of(post("Content-Type: a\r\nContent-Type: b\r\n")), 400);
  EXPECT_EQ(status_of(post("Authorization: a\r\nAuthorization: b\r\n")), 400);
}

// Values are looked at eight bytes at a time: a control character must be seen wherever it stands.
TEST(FieldText, every_byte_is_judged_at_every_place) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    for (std::size_t before = 0; before < 18; ++before) {
      for (const std::size_t behind : {std::size_t{0}, std::size_t{1}, std::size_t{9}}) {
        const std::string text =
            std::string(before, '~') + static_cast<char>(byte) + std::string(behind, ' ');
        ASSERT_EQ(is_field_text(text), good) << byte << " behind " << before;
      }
    }
  }
}

TEST(RequestHead, content_length_is_digits_once) {
  EXPECT_EQ(status_of(post("Content-Length: 0\r\n")), 0);
  EXPECT_EQ(status_of(post("Content-Length: 0005\r\n")), 0);
  for (const char* value :
       {"", "+1", "-1", "1,1", "1, 1", "0x1", "1 1", "1e3", "a", "99999999999999999999", "1.0"}) {
    EXPECT_EQ(status_of(post("Content-Length: " + std::string(value) + "\r\n")), 400) << value;
  }
  EXPECT_EQ(status_of(post("Content-Length: 5\r\ncontent-length: 5\r\n")), 400);
  EXPECT_EQ(status_of(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
}

TEST(RequestHead, transfer_encoding_is_exactly_chunked) {
  const std::string good = post("transfer-encoding: chunked\r\n");
  EXPECT_EQ(parse(good)->framing, Framing::chunked);
  EXPECT_EQ(status_of(post("Transfer-Encoding:chunked\r\n")), 0);
  for (const char* value : {"", "identity", "gzip", "gzip, chunked", "chunked, gzip", "\tchunked",
                            "  chunked", "chunked ", "chunked\t", "CHUNKED", "\"chunked\"",
                            "chunked;q=1", "chunked, chunked", "x chunked", "chunk"}) {
    const int status = status_of(post("Transfer-Encoding: " + std::string(value) + "\r\n"));
    EXPECT_EQ(status, 501) << value;
  }
  EXPECT_EQ(status_of(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(post("Transfer_Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestHead, unknown_expectations_and_encodings_are_refused) {
  EXPECT_EQ(status_of(post("Expect: magic\r\n")), 417);
  EXPECT_EQ(status_of(post("Content-Encoding: gzip\r\n")), 415);
  EXPECT_EQ(status_of(post("Content-Encoding: identity\r\n")), 0);
}

TEST(RequestHead, knows_when_to_keep_the_connection) {
  const auto keeps = [](const std::string& text) { return parse(text)->keep_alive; };
  EXPECT_TRUE(keeps(post("")));
  EXPECT_FALSE(keeps(post("Connection: Close\r\n")));
  EXPECT_FALSE(keeps(post("Connection: te, close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(ResponseHead, is_read_whole) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: Chunked\r\n\r\n";
  const auto head = parse_response_head(text, "POST");
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->framing, Framing::chunked);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_EQ(head->headers.find("content-type"), "text/event-stream");
}

TEST(ResponseHead, framing_follows_status_and_method) {
  const auto framing = [](const std::string& text, const char* method) {
    return parse_response_head(text, method)->framing;
  };
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"), Framing::none);
  EXPECT_EQ(framing("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "GET"), Framing::none);
  EXPECT_EQ(framing("HTTP/1.1 304\r\n\r\n", "GET"), Framing::none);
  EXPECT_EQ(framing("HTTP/1.1 100 Continue\r\n\r\n", "GET"), Framing::none);
  EXPECT_EQ(framing("HTTP/1.1 200 OK\r\n\r\n", "GET"), Framing::until_close);
  EXPECT_FALSE(parse_response_head("HTTP/1.1 200 OK\r\n\r\n", "GET")->keep_alive);
}

TEST(ResponseHead, is_as_strict_as_a_request) {
  for (const char* first :
       {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 OK", "HTTP/1.1 529 \xe4 odd"}) {
    EXPECT_TRUE(parse_response_head(std::string(first) + "\r\n\r\n", "GET").has_value()) << first;
  }
  for (const char* text :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}) {
    const auto head = parse_response_head(text, "GET");
    ASSERT_FALSE(head.has_value()) << text;
    EXPECT_EQ(head.error().code, ErrorCode::protocol) << text;
  }
}

}  // namespace
}  // namespace nl::http
