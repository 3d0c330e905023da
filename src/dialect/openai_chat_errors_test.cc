#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "dialect/openai_chat.h"

namespace nl::dialect {
namespace {

std::string body(int status, std::string message = "m") {
  return OpenAiChat().error_body({ErrorCode::status, std::move(message), status}, "req_1");
}
UpstreamError read(std::string_view text, int status = 400) {
  return OpenAiChat().read_error(status, text);
}

TEST(OpenAiChatErrors, TheBodyFollowsTheStatus) {
  EXPECT_EQ(body(401), R"({"error":{"message":"m","type":"invalid_request_error","param":null,)"
                       R"("code":"invalid_api_key"}})");
  EXPECT_EQ(body(400),
            R"({"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_NE(body(404).find("model_not_found"), std::string::npos);
  EXPECT_NE(body(429).find("rate_limit_exceeded"), std::string::npos);
  EXPECT_NE(body(503).find("service_unavailable"), std::string::npos);
  EXPECT_NE(body(500).find(R"("type":"server_error")"), std::string::npos);
}

TEST(OpenAiChatErrors, APromptThatDoesNotFitHasItsCode) {
  for (const char* message : {"prompt is too long: 5 tokens > 4 maximum",
                              "This model's maximum context length is 8192 tokens",
                              "the request exceeds the available context size"}) {
    EXPECT_NE(body(400, message).find("context_length_exceeded"), std::string::npos) << message;
  }
}

TEST(OpenAiChatErrors, WithoutAStatusTheCodeDecides) {
  const auto of = [](ErrorCode code) { return OpenAiChat().error_body({code, "m"}, ""); };
  EXPECT_NE(of(ErrorCode::unauthorized).find("invalid_api_key"), std::string::npos);
  EXPECT_NE(of(ErrorCode::bad_request).find("invalid_request_error"), std::string::npos);
  EXPECT_NE(of(ErrorCode::exhausted).find("service_unavailable"), std::string::npos);
  EXPECT_NE(of(ErrorCode::truncated).find("server_error"), std::string::npos);
}

TEST(OpenAiChatErrors, APathThatIsNotThereIsNoUnknownModel) {
  EXPECT_EQ(OpenAiChat().error_body({ErrorCode::not_found, "no such path here", 404}, ""),
            R"({"error":{"message":"no such path here","type":"invalid_request_error",)"
            R"("param":null,"code":null}})");
}

TEST(OpenAiChatErrors, ReadsTheVendorsOwnForm) {
  const auto said = read(R"({"error":{"message":"slow down","type":"requests","param":null,
      "code":"rate_limit_exceeded","resets_in_seconds":42}})");
  EXPECT_EQ(said.message, "slow down");
  EXPECT_EQ(said.type, "requests");
  EXPECT_EQ(said.code, "rate_limit_exceeded");
  EXPECT_EQ(said.resets_in_s, 42);
}

TEST(OpenAiChatErrors, ReadsOpenRouter) {
  const auto said = read(R"({"error":{"code":429,"message":"Provider returned error","metadata":
      {"raw":"too many requests","provider_name":"P",
      "limit_source":"upstream_provider_shared_pool"}}})");
  EXPECT_EQ(said.code, "429");
  EXPECT_EQ(said.message, "Provider returned error: too many requests");
  EXPECT_EQ(said.source, "upstream_provider_shared_pool");
}

TEST(OpenAiChatErrors, ReadsTheShapesOfOtherServers) {
  EXPECT_EQ(read(R"({"error":"model 'x' not found"})").message, "model 'x' not found");
  EXPECT_EQ(read(R"({"detail":"Not Found"})").message, "Not Found");
  EXPECT_EQ(read(R"({"detail":[{"msg":"field required"}]})").message,
            R"([{"msg":"field required"}])");
  EXPECT_EQ(read(R"({"object":"error","message":"m","type":"BadRequestError","code":400})").type,
            "BadRequestError");
  const auto google =
      read(R"([{"error":{"code":429,"message":"q","status":"RESOURCE_EXHAUSTED"}}])");
  EXPECT_EQ(google.type, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(google.code, "429");
}

TEST(OpenAiChatErrors, ALocalServerStatesTheNumbersOfAPromptThatIsTooLong) {
  const auto said = read(
      R"({"error":{"code":400,"message":"request (63007 tokens) exceeds the available context )"
      R"(size (4096 tokens), try increasing it","type":"exceed_context_size_error",)"
      R"("n_prompt_tokens":63007,"n_ctx":4096}})");
  EXPECT_EQ(said.type, "exceed_context_size_error");
  EXPECT_EQ(said.prompt_tokens, 63007);
  EXPECT_EQ(said.window_tokens, 4096);
  EXPECT_FALSE(read(R"({"error":{"message":"x"}})").prompt_tokens);
}

TEST(OpenAiChatErrors, NeverFails) {
  EXPECT_EQ(read("").message, "");
  EXPECT_EQ(read(" upstream connect error\n").message, "upstream connect error");
  EXPECT_EQ(read("<html>x</html>").message, "an HTML page");
  EXPECT_EQ(read("null").message, "");
  EXPECT_EQ(read("[]").message, "");
  EXPECT_EQ(read(R"({"error":null})").message, "");
  EXPECT_EQ(read(R"({"error":{"message":3}})").message, "3");
}

TEST(OpenAiChatErrors, MessagesAreBoundedAtACharacter) {
  std::string text = "a";
  for (int i = 0; i < 400; ++i) text += "\xc3\xa9";
  EXPECT_EQ(read(R"({"error":{"message":")" + text + R"("}})").message, text.substr(0, 499));
  EXPECT_LE(read(text).message.size(), 500U);
}

}  // namespace
}  // namespace nl::dialect
