#include "work/endpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dialect/json.h"
#include "http/raw_peer.h"
#include "work/base64.h"

namespace nl::work {
namespace {

using http::RawPeer;
using http::RawStream;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-nightlight-tier: pending\r\n"
    "x-nightlight-request-id: nl_1\r\n";
constexpr std::string_view kRecord =
    R"({"id":"nl_1","tier":"local","provider":"engine","model":"gemma","reason":"cloud: 529",)"
    R"("compacted":"2 turns","input_tokens":41,"output_tokens":7,"usage_estimated":true,)"
    R"("cost_usd":0.25})";

std::string event(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

std::string delta(std::string_view text) {
  return event("content_block_delta",
               fmt::format(R"({{"type":"content_block_delta","index":0,"delta":)"
                           R"({{"type":"text_delta","text":"{}"}}}})",
                           text));
}

std::string beginning() {
  return event("message_start",
               R"({"type":"message_start","message":{"id":"m","type":"message","role":"assistant",)"
               R"("model":"x","content":[],"stop_reason":null,"stop_sequence":null,)"
               R"("usage":{"input_tokens":40,"output_tokens":1}}})") +
         event("content_block_start", R"({"type":"content_block_start","index":0,"content_block":)"
                                      R"({"type":"text","text":""}})");
}

std::string ending() {
  return event("content_block_stop", R"({"type":"content_block_stop","index":0})") +
         event("message_delta", R"({"type":"message_delta","delta":{"stop_reason":"max_tokens",)"
                                R"("stop_sequence":null},"usage":{"output_tokens":6}})") +
         event("message_stop", R"({"type":"message_stop"})");
}

std::string framed(std::string_view head, std::string_view body) {
  return fmt::format("{}content-length: {}\r\n\r\n{}", head, body.size(), body);
}

Endpoint endpoint_at(std::uint16_t port, EndpointLimits limits = {}) {
  Address address;
  address.endpoint.scheme = http::Scheme::http;
  address.endpoint.host = "127.0.0.1";
  address.endpoint.port = port;
  address.headers = "authorization: Bearer t\r\n";
  address.name = "http://gateway";
  return Endpoint(address, limits);
}

TEST(Endpoint, StreamsTheAnswerAndTakesTheGatewaysRecordOfIt) {
  std::vector<std::string> seen;
  RawPeer peer([&](RawStream& stream, int) {
    seen.push_back(stream.read_message());
    stream.send(framed(kHead, beginning() + delta("Hel") + delta("lo \\u00e9") + ending()));
    seen.push_back(stream.read_message());
    stream.send(framed("HTTP/1.1 404 Not Found\r\n", "{}"));
    seen.push_back(stream.read_message());
    stream.send(framed("HTTP/1.1 200 OK\r\n", kRecord));
  });
  Endpoint endpoint = endpoint_at(peer.port());
  Prompt prompt;
  prompt.text = "Hi";
  prompt.route = "@local";
  prompt.task = "chat_qa";
  std::string streamed;
  const auto reply = endpoint.answer(prompt, [&](std::string_view text) { streamed += text; });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->text, "Hello \xC3\xA9");
  EXPECT_EQ(streamed, reply->text);
  EXPECT_EQ(reply->stop_reason, "max_tokens");
  EXPECT_EQ(reply->tier, "local");
  EXPECT_EQ(reply->provider + "/" + reply->model, "engine/gemma");
  EXPECT_EQ(reply->reason, "cloud: 529");
  EXPECT_EQ(reply->compacted, "2 turns");
  EXPECT_EQ(reply->input_tokens, 41U);
  EXPECT_EQ(reply->output_tokens, 7U);
  EXPECT_TRUE(reply->usage_estimated);
  EXPECT_EQ(reply->cost_usd, 0.25);
  // All on one connection, so that the record is asked for behind the answer.
  EXPECT_EQ(peer.connections(), 1);
  ASSERT_EQ(seen.size(), 3U);
  for (const char* line : {"POST /v1/messages HTTP/1.1\r\n", "x-nightlight-route: @local\r\n",
                           "x-nightlight-task: chat_qa\r\n", "user-agent: nightlight/",
                           "authorization: Bearer t\r\n"}) {
    EXPECT_NE(seen[0].find(line), std::string::npos) << line;
  }
  EXPECT_EQ(seen[1].substr(0, seen[1].find(' ', 4)), "GET /nightlight/requests/nl_1");
}

TEST(Endpoint, TellsOnceThatNothingComes) {
  std::string told;
  std::mutex mutex;
  std::condition_variable changed;
  bool said = false;
  RawPeer peer([&](RawStream& stream, int) {
    (void)stream.read_message();
    stream.send(
        framed("HTTP/1.1 200 OK\r\nx-nightlight-target: here/small\r\n", R"({"input_tokens":3})"));
    for (int i = 0; i < 2; ++i) {
      (void)stream.read_message();
      // Silent until it was said.
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return said; });
      stream.send(framed("HTTP/1.1 200 OK\r\n", beginning() + delta("x") + ending()));
    }
  });
  EndpointLimits limits;
  limits.quiet = std::chrono::milliseconds(20);
  Endpoint endpoint = endpoint_at(peer.port(), limits);
  endpoint.when_quiet([&](const std::string& target) {
    const std::scoped_lock lock(mutex);
    told += "<" + target + ">";
    said = true;
    changed.notify_all();
  });
  ASSERT_TRUE(endpoint.count(Prompt()));
  ASSERT_TRUE(endpoint.answer(Prompt(), {}));
  EXPECT_EQ(told, "<here/small>");
  ASSERT_TRUE(endpoint.answer(Prompt(), {}));
  EXPECT_EQ(told, "<here/small>");
}

TEST(Endpoint, WithoutARecordTheHeadersAndTheStreamMustDo) {
  RawPeer peer([&](RawStream& stream, int) {
    (void)stream.read_message();
    stream.send(framed("HTTP/1.1 200 OK\r\nx-nightlight-tier: router\r\n",
                       beginning() + delta("x") + ending()));
  });
  const auto reply = endpoint_at(peer.port()).answer(Prompt(), {});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->tier, "router");
  EXPECT_EQ(reply->input_tokens, 40U);
  EXPECT_EQ(reply->output_tokens, 6U);
  EXPECT_FALSE(reply->cost_usd);
}

TEST(Endpoint, SaysWhatWentWrong) {
  const auto asked = [](const std::string& answer) {
    RawPeer peer([&](RawStream& stream, int) {
      (void)stream.read_message();
      stream.send(answer);
    });
    Endpoint endpoint = endpoint_at(peer.port());
    const auto reply = endpoint.answer(Prompt(), {});
    EXPECT_FALSE(reply);
    const bool told = answer.find("x-nightlight-request-id: nl_2") != std::string::npos;
    EXPECT_EQ(endpoint.last_request_id() == "nl_2", told);
    return reply ? Error() : reply.error();
  };
  const Error refused =
      asked(framed("HTTP/1.1 503 Busy\r\nx-nightlight-request-id: nl_2\r\n",
                   R"({"type":"error","error":{"type":"api_error","message":"no tier"}})"));
  EXPECT_EQ(refused.code, ErrorCode::status);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.message, "no tier (`nightlight why nl_2` says more)");
  EXPECT_EQ(asked(framed(kHead, beginning() + delta("half"))).code, ErrorCode::truncated);
  const Error broke = asked(
      framed(kHead, beginning() + event("error", R"({"type":"error","error":{"type":"api_error",)"
                                                 R"("message":"the answer broke off"}})")));
  EXPECT_EQ(broke.code, ErrorCode::stream_error);
  EXPECT_NE(broke.message.find("the answer broke off"), std::string::npos);
}

TEST(Endpoint, SaysThatNoGatewayRunsAndHowToStartOne) {
  std::uint16_t port = 0;
  {
    port = RawPeer([](RawStream&, int) {}).port();
  }
  const auto reply = endpoint_at(port).answer(Prompt(), {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::connect);
  EXPECT_NE(reply.error().message.find("http://gateway"), std::string::npos);
  EXPECT_NE(reply.error().message.find("`nightlight up`"), std::string::npos);
}

TEST(Endpoint, BoundsAnAnswersSizeAndItsSilence) {
  EndpointLimits limits;
  limits.answer_bytes_max = 1u << 20;
  limits.silence = std::chrono::milliseconds(100);
  std::string large = beginning();
  while (large.size() < limits.answer_bytes_max + 1000) large += delta(std::string(60'000, 'x'));
  RawPeer talker([&](RawStream& stream, int) {
    (void)stream.read_message();
    stream.send(framed(kHead, large + ending()));
  });
  const auto too_large = endpoint_at(talker.port(), limits).answer(Prompt(), {});
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error().code, ErrorCode::too_large);
  RawPeer mute([&](RawStream& stream, int) {
    (void)stream.read_message();
    stream.send(fmt::format("{}content-length: 9999\r\n\r\n{}", kHead, beginning()));
    (void)stream.at_end();
  });
  const auto silent = endpoint_at(mute.port(), limits).answer(Prompt(), {});
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ErrorCode::timeout);
}

TEST(Endpoint, InterruptEndsTheAnswer) {
  RawPeer peer([&](RawStream& stream, int) {
    (void)stream.read_message();
    stream.send(fmt::format("{}content-length: 9999\r\n\r\n{}", kHead, beginning() + delta("x")));
    (void)stream.at_end();
  });
  const auto reply =
      endpoint_at(peer.port()).answer(Prompt(), [](std::string_view) { (void)raise(SIGINT); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::cancelled);
}

TEST(Endpoint, CountsAndSaysWhoWouldAnswer) {
  std::string seen;
  RawPeer peer([&](RawStream& stream, int) {
    seen = stream.read_message();
    stream.send(
        framed("HTTP/1.1 200 OK\r\nx-nightlight-target: engine/gemma\r\n"
               "x-nightlight-target-tier: local\r\nx-nightlight-window: 8192\r\n"
               "x-nightlight-tier: estimate\r\n",
               R"({"input_tokens":77})"));
  });
  Prompt prompt;
  prompt.route = "offline";
  const auto count = endpoint_at(peer.port()).count(prompt);
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(count->tokens, 77);
  EXPECT_TRUE(count->estimated);
  EXPECT_EQ(count->target, "engine/gemma");
  EXPECT_EQ(count->tier, "local");
  EXPECT_EQ(count->window, 8192);
  EXPECT_NE(seen.find("POST /v1/messages/count_tokens"), std::string::npos);
  EXPECT_NE(seen.find("x-nightlight-route: offline\r\n"), std::string::npos);
  EXPECT_EQ(seen.find("max_tokens"), std::string::npos);
}

TEST(Endpoint, TheBodyIsSoundJsonWhateverTheTextHolds) {
  Prompt prompt;
  prompt.system = "be \"brief\"";
  prompt.text = std::string("a\0b\xff\n", 5);
  prompt.images = {{"image/png", "\x89PNG"}};
  prompt.json_schema = R"({"type":"object"})";
  prompt.model = "claude-haiku-4-5";
  const std::string body = prompt_body(prompt, BodyFor::answer);
  dialect::Document document;
  ASSERT_TRUE(document.parse(body)) << body;
  const dialect::Value root = document.root();
  EXPECT_EQ(root["model"].text().utf8(), "claude-haiku-4-5");
  const dialect::Value content = root["messages"].first()["content"];
  EXPECT_EQ(content.first()["source"]["data"].text().utf8(), "iVBORw==");
  EXPECT_EQ(content.first().next()["text"].text().utf8(), std::string("a\0b\xEF\xBF\xBD\n", 7));
  EXPECT_EQ(root["output_config"]["format"]["schema"]["type"].text().utf8(), "object");
}

TEST(Base64, MatchesTheVectorsOfItsStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace nl::work
