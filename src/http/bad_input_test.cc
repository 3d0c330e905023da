// Other projects' collections of malformed requests, where they are at hand.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "http/body.h"
#include "http/head.h"
#include "http/test_loop.h"

namespace nl::http {
namespace {

// Whether the first request in `wire` would be served: head and body are whole and clean.
bool accepted(std::string wire) {
  std::string_view text = wire;
  if (text.starts_with("\r\n")) text.remove_prefix(2);
  const auto end = find_head_end(text, kHeadBytesMax);
  if (!end || *end == 0) return false;
  const auto head = parse_request_head(text.substr(0, *end));
  if (!head) return false;
  std::string body(text.substr(*end));
  BodyReader reader(head->framing, head->content_length);
  return reader.decode(body).has_value() && reader.complete();
}

std::string unescaped_base64(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned group = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) break;
    group = group << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((group >> bits) & 255U);
  }
  return bytes;
}

// The string values of a flat JSON object, by key: enough for the indexes of the collections.
std::vector<std::pair<std::string, std::string>> flat_strings(const std::string& json) {
  std::vector<std::string> strings;
  for (std::size_t at = json.find('"'); at != std::string::npos; at = json.find('"', at)) {
    const std::size_t end = json.find('"', at + 1);
    strings.push_back(json.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 0; i + 1 < strings.size(); i += 2) {
    pairs.emplace_back(strings[i], strings[i + 1]);
  }
  return pairs;
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = shared_data();
    if (!folder) GTEST_SKIP() << "no shared test data beside this checkout";
    root = *folder + "/badinput/http/";
  }
  std::string root;
};

TEST_F(BadInput, every_transfer_encoding_gadget_is_refused) {
  int count = 0;
  for (const auto& [name, encoded] : flat_strings(file_text(root + "te-gadgets-smuggler.json"))) {
    const std::string gadget = unescaped_base64(encoded);
    const std::string line = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    const std::string body = "\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    // One of them is just a chunked request with one more header.
    const bool harmless = gadget == "Transfer-Encoding: chunked\r\nX: X";
    EXPECT_EQ(accepted(line + gadget + body), harmless) << name;
    EXPECT_FALSE(accepted(line + "Content-Length: 13\r\n" + gadget + body)) << name;
    EXPECT_FALSE(accepted(line + gadget + "\r\nContent-Length: 13" + body)) << name;
    ++count;
  }
  EXPECT_GT(count, 300);
}

TEST_F(BadInput, invalid_requests_of_the_first_collection_are_refused) {
  int count = 0;
  for (const auto& [name, verdict] : flat_strings(file_text(root + "gunicorn/index.json"))) {
    if (verdict == "valid") continue;
    EXPECT_FALSE(accepted(file_text(root + "gunicorn/" + name))) << name;
    ++count;
  }
  EXPECT_GT(count, 10);
}

TEST_F(BadInput, what_is_refused_stays_refused_with_a_host_header) {
  // Many of the cases lack a Host and would be refused for that alone.
  for (const auto& [name, verdict] : flat_strings(file_text(root + "gunicorn/index.json"))) {
    std::string wire = file_text(root + "gunicorn/" + name);
    if (wire.find("Host:") != std::string::npos) continue;
    const std::size_t line = wire.find("\r\n");
    if (line != std::string::npos) wire.insert(line + 2, "Host: localhost\r\n");
    // Fragments, identity and gzip as transfer coding are refused here on purpose.
    const bool stricter = name == "valid_009.http" || name.starts_with("valid_025");
    EXPECT_EQ(accepted(wire), verdict == "valid" && !stricter) << name;
  }
}

TEST_F(BadInput, invalid_requests_of_the_second_collection_are_refused) {
  const std::string index = file_text(root + "llhttp/index.json");
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root + "llhttp")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".http")) continue;
    const std::size_t at = index.find('"' + name + '"');
    ASSERT_NE(at, std::string::npos) << name;
    const bool valid = index.find("null", at) < index.find('}', at);
    if (valid) continue;
    // Some cases lack their last line: complete, they must be refused all the same.
    EXPECT_FALSE(accepted(file_text(entry.path().string()))) << name;
    EXPECT_FALSE(accepted(file_text(entry.path().string()) + "\r\n")) << name;
    ++count;
  }
  EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace nl::http
