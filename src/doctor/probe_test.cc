#include "doctor/probe.h"

#include <gtest/gtest.h>

#include "http/test_server.h"

namespace nl::doctor {
namespace {

Probe probe_of(std::uint16_t port, const char* target) {
  Probe probe;
  probe.endpoint.scheme = http::Scheme::http;
  probe.endpoint.host = "127.0.0.1";
  probe.endpoint.port = port;
  probe.target = target;
  return probe;
}

TEST(Probe, EveryQuestionGetsItsOwnAnswer) {
  const http::TestServer server;
  std::vector<Probe> probes = {probe_of(server.port(), "/one"), probe_of(1, "/nobody"),
                               probe_of(server.port(), "/forbidden"),
                               probe_of(server.port(), "/two")};
  probes[3].body = "{}";
  std::size_t told = 0;
  ProbeOptions options;
  options.progress = [&](std::size_t answered) { told = answered; };
  const auto answers = ask_all(probes, options);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_EQ(answers[0].body, "GET /one  0");
  EXPECT_EQ(answers[0].content_type, "text/plain");
  ASSERT_FALSE(answers[1].answered());
  EXPECT_EQ(answers[1].error->code, ErrorCode::connect);
  EXPECT_EQ(answers[2].status, 403);
  EXPECT_EQ(answers[3].body, "POST /two {} 2");
  EXPECT_EQ(told, 4U);
}

TEST(Probe, WhoIsSilentIsLeftBehind) {
  const http::TestServer server;
  ProbeOptions options;
  options.within = std::chrono::milliseconds(50);
  const auto answers =
      ask_all({probe_of(server.port(), "/wait"), probe_of(server.port(), "/one")}, options);
  ASSERT_FALSE(answers[0].answered());
  EXPECT_EQ(answers[0].error->code, ErrorCode::timeout);
  EXPECT_EQ(answers[0].status, 0);
}

TEST(Probe, NothingAskedIsNothingAnswered) {
  EXPECT_TRUE(ask_all({}, ProbeOptions()).empty());
}

}  // namespace
}  // namespace nl::doctor
