#include "doctor/clouds.h"

#include <gtest/gtest.h>

#include <utility>

namespace nl::doctor {
namespace {

CloudFacts cloud() {
  CloudFacts facts;
  facts.name = "anthropic";
  facts.host = "api.anthropic.test";
  facts.key = "env:ANTHROPIC_API_KEY";
  facts.console = "https://console.test/keys";
  facts.answer.emplace();
  facts.answer->status = 200;
  facts.answer->content_type = "application/json";
  return facts;
}

CloudFacts with_status(int status) {
  CloudFacts facts = cloud();
  facts.answer->status = status;
  return facts;
}

CloudFacts with_error(ErrorCode code, const char* message) {
  CloudFacts facts = cloud();
  facts.answer->error = Error(code, message);
  return facts;
}

Kind only_kind(const CloudFacts& facts) {
  const Findings findings = check_cloud(facts);
  EXPECT_EQ(findings.size(), 1U);
  return findings.empty() ? Kind::drill_old : findings[0].kind;
}

TEST(Clouds, AGoodAnswerIsNoFinding) {
  EXPECT_TRUE(check_cloud(cloud()).empty());
}

TEST(Clouds, ARefusedKeyIsNamedByItsPlace) {
  for (const int status : {401, 403}) {
    const Findings findings = check_cloud(with_status(status));
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, Kind::key_refused);
    EXPECT_EQ(findings[0].severity, Severity::fault);
    EXPECT_NE(findings[0].fix.find("env:ANTHROPIC_API_KEY"), std::string::npos);
    EXPECT_NE(findings[0].fix.find("https://console.test/keys"), std::string::npos);
  }
}

TEST(Clouds, GooglesOwnWayToRefuseAKeyIsKnown) {
  CloudFacts facts = with_status(400);
  EXPECT_TRUE(check_cloud(facts).empty());
  facts.answer->body = R"([{"error": {"code": 400, "message": "API key not valid. Please ..."}}])";
  EXPECT_EQ(only_kind(facts), Kind::key_refused);
}

TEST(Clouds, AKeyThatMayNotListModelsIsNoFault) {
  CloudFacts facts = with_status(403);
  facts.answer->body = R"({"error": {"message": "... Missing scopes: api.model.read. ..."}})";
  Findings findings = check_cloud(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::key_refused);
  EXPECT_EQ(findings[0].severity, Severity::note);
  facts.answer->body = R"({"error": {"code": "unsupported_country_region_territory"}})";
  findings = check_cloud(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::unreachable);
  EXPECT_EQ(findings[0].fix.find("make a new key"), std::string::npos);
}

TEST(Clouds, ARefusalWithoutAKeyIsRight) {
  CloudFacts facts = with_status(401);
  facts.key_state = KeyState::clients_own;
  EXPECT_TRUE(check_cloud(facts).empty());
}

TEST(Clouds, EveryStatusHasItsMeaning) {
  const std::pair<int, Kind> rows[] = {
      {402, Kind::credit_empty},   {429, Kind::quota_reached},  {404, Kind::provider_odd},
      {405, Kind::provider_odd},   {500, Kind::provider_fails}, {529, Kind::provider_fails},
      {302, Kind::captive_portal}, {511, Kind::captive_portal},
  };
  for (const auto& [status, kind] : rows) EXPECT_EQ(only_kind(with_status(status)), kind) << status;
  CloudFacts page = cloud();
  page.answer->content_type = "Text/HTML; charset=utf-8";
  EXPECT_EQ(only_kind(page), Kind::captive_portal);
}

TEST(Clouds, EveryWayThereCanBreakInItsOwnWay) {
  struct Row {
    ErrorCode code;
    const char* message;
    Kind kind;
  };
  const Row rows[] = {
      {ErrorCode::dns, "cannot resolve api.test", Kind::name_unknown},
      {ErrorCode::connect, "cannot connect to api.test: refused", Kind::unreachable},
      {ErrorCode::timeout, "no answer in time", Kind::unreachable},
      {ErrorCode::connect, "proxy refused with 407", Kind::proxy_refuses},
      {ErrorCode::tls, "x: TLS handshake failed: certificate has expired",
       Kind::certificate_expired},
      {ErrorCode::tls, "x: TLS handshake failed: certificate is not yet valid",
       Kind::certificate_expired},
      {ErrorCode::tls, "x: TLS handshake failed: self-signed certificate",
       Kind::certificate_untrusted},
      {ErrorCode::tls, "x: TLS handshake failed: unable to get local issuer certificate",
       Kind::certificate_untrusted},
      {ErrorCode::tls, "x: TLS handshake failed: IP address mismatch", Kind::certificate_name},
      {ErrorCode::tls, "x: TLS handshake failed: wrong version number", Kind::tls_fails},
      {ErrorCode::config, "cannot read the CA file /x", Kind::certificate_untrusted},
      {ErrorCode::protocol, "malformed answer", Kind::provider_odd},
  };
  for (const Row& row : rows) {
    const Findings findings = check_cloud(with_error(row.code, row.message));
    ASSERT_EQ(findings.size(), 1U) << row.message;
    EXPECT_EQ(findings[0].kind, row.kind) << row.message;
    EXPECT_NE(findings[0].what.find(row.message), std::string::npos);
  }
}

TEST(Clouds, AServerOfThisMachineIsStartedAndNotReached) {
  CloudFacts facts = with_error(ErrorCode::connect, "refused");
  facts.own_server = true;
  EXPECT_EQ(only_kind(facts), Kind::local_server_down);
}

TEST(Clouds, CreditIsLookedAt) {
  CloudFacts facts = cloud();
  facts.credit_dollars = 0.5;
  EXPECT_TRUE(check_cloud(facts).empty());
  facts.credit_dollars = 0.0;
  EXPECT_EQ(only_kind(facts), Kind::credit_empty);
}

TEST(Clouds, AMissingKeyMattersWhereSomebodyNamedTheProvider) {
  CloudFacts facts = cloud();
  facts.answer.reset();
  facts.key_state = KeyState::missing;
  EXPECT_TRUE(check_cloud(facts).empty());
  facts.named = true;
  const Findings findings = check_cloud(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::key_missing);
  EXPECT_NE(findings[0].fix.find("export ANTHROPIC_API_KEY="), std::string::npos);
}

TEST(Clouds, NoKeyAtAllIsSaidOnce) {
  CloudFacts own = cloud();
  own.key_state = KeyState::clients_own;
  const Findings findings = check_keys({own});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::no_cloud);
  EXPECT_EQ(findings[0].severity, Severity::note);
  EXPECT_NE(findings[0].what.find("anthropic"), std::string::npos);
  EXPECT_TRUE(check_keys({own, cloud()}).empty());
}

}  // namespace
}  // namespace nl::doctor
