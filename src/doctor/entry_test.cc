#include "doctor/entry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "doctor/ports.h"
#include "doctor/proxies.h"

namespace nl::doctor {
namespace {

namespace fs = std::filesystem;

AddressFacts address() {
  AddressFacts facts;
  facts.text = "127.0.0.1:2300";
  return facts;
}

EntryFacts entry(AddressFacts facts) {
  EntryFacts made;
  made.addresses.push_back(std::move(facts));
  return made;
}

TEST(Entry, AFreeAddressIsNoFinding) {
  EXPECT_TRUE(check_entry(entry(address())).empty());
}

TEST(Entry, SomebodyElseHasThePort) {
  AddressFacts facts = address();
  facts.answers = true;
  facts.holder = "python3 (pid 4711)";
  const Findings findings = check_entry(entry(facts));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::port_taken);
  EXPECT_NE(findings[0].what.find("python3 (pid 4711)"), std::string::npos);
}

TEST(Entry, WeHaveItOurselves) {
  AddressFacts facts = address();
  facts.answers = true;
  facts.nightlight_pid = 12;
  const Findings findings = check_entry(entry(facts));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::already_serving);
}

TEST(Entry, AStaleSocketCanBeRemoved) {
  AddressFacts facts = address();
  facts.stale_socket = "/run/n.sock";
  const Findings findings = check_entry(entry(facts));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::socket_stale);
  ASSERT_TRUE(findings[0].repair);
  EXPECT_EQ(findings[0].repair->kind, RepairKind::remove_socket);
}

TEST(Entry, AnotherNightlightIsTold) {
  EntryFacts facts = entry(address());
  facts.others.push_back({"127.0.0.1:2400", 99});
  const Findings findings = check_entry(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::other_nightlight);
  EXPECT_NE(findings[0].fix.find("kill 99"), std::string::npos);
}

TEST(Entry, ACertificateIsRenewedInTime) {
  EntryFacts facts = entry(address());
  facts.certificate = "/x.pem";
  facts.certificate_ends = facts.now + std::chrono::hours(24 * 30);
  EXPECT_TRUE(check_entry(facts).empty());
  facts.certificate_ends = facts.now + std::chrono::hours(24 * 3);
  const Findings findings = check_entry(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::listener_certificate);
  EXPECT_NE(findings[0].what.find("3 days"), std::string::npos);
}

TEST(ClientSettings, OnlyOursLeadsHere) {
  ClientSetting ours;
  ours.ours = true;
  ClientSetting other;
  other.where = "ANTHROPIC_BASE_URL in the environment";
  other.address = "127.0.0.1:4000";
  other.port = 4000;
  other.loopback = true;
  const Findings findings = check_client_settings({ours, other});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::other_gateway);
  EXPECT_NE(findings[0].what.find("LiteLLM"), std::string::npos);
  EXPECT_NE(findings[0].fix.find("ANTHROPIC_BASE_URL"), std::string::npos);
  other.file = "/home/me/.claude/settings.json";
  EXPECT_NE(check_client_settings({other})[0].fix.find("nightlight connect claude"),
            std::string::npos);
  EXPECT_EQ(check_client_settings({other})[0].fix.find("nightlight run"), std::string::npos);
  other.loopback = false;
  EXPECT_EQ(check_client_settings({other})[0].what.find("LiteLLM"), std::string::npos);
}

TEST(Ports, TheHolderIsFoundInProc) {
  const fs::path root = fs::temp_directory_path() / ("doctor-ports-" + std::to_string(getpid()));
  fs::create_directories(root / "proc/net");
  fs::create_directories(root / "proc/4711/fd");
  fs::create_directories(root / "proc/12/fd");
  std::ofstream(root / "proc/net/tcp")
      << "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
         "timeout inode\n"
         "   0: 0100007F:08FC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
         "0 5551 1\n"
         "   1: 0100007F:08FC 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        "
         "0 5552 1\n";
  std::ofstream(root / "proc/4711/comm") << "litellm\x1b\n";
  fs::create_symlink("socket:[5551]", root / "proc/4711/fd/3");
  fs::create_symlink("socket:[5552]", root / "proc/12/fd/3");
  const auto holders = holders_of(2300, root.string());
  ASSERT_EQ(holders.size(), 1U);
  EXPECT_EQ(holder_text(holders), "litellm? (pid 4711)");
  EXPECT_TRUE(holders_of(2301, root.string()).empty());
  EXPECT_EQ(holder_text({}), "another program");
  fs::remove_all(root);
}

TEST(Proxies, SilenceIsAFinding) {
  ProxyFacts facts;
  EXPECT_TRUE(check_proxy(facts).empty());
  facts.variable = "https_proxy";
  facts.address = "127.0.0.1:3128";
  facts.answer.emplace();
  facts.answer->status = 400;
  EXPECT_TRUE(check_proxy(facts).empty());
  facts.answer->error = Error(ErrorCode::protocol, "no HTTP");
  EXPECT_TRUE(check_proxy(facts).empty());
  facts.answer->error = Error(ErrorCode::connect, "refused");
  const Findings findings = check_proxy(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kind, Kind::proxy_dead);
  EXPECT_NE(findings[0].fix.find("unset https_proxy"), std::string::npos);
  facts.answer.reset();
  facts.address.clear();
  ASSERT_EQ(check_proxy(facts).size(), 1U);
}

TEST(Proxies, LoopbackMustBeSpared) {
  ProxyFacts facts;
  facts.plain_variable = "http_proxy";
  for (const char* spared : {"127.0.0.1", "localhost,127.0.0.1", "*", "a.test, 127.0.0.0/8"}) {
    facts.no_proxy = spared;
    EXPECT_TRUE(check_proxy(facts).empty()) << spared;
  }
  for (const char* caught : {"", "localhost", "127.0.0.11", ".test"}) {
    facts.no_proxy = caught;
    const Findings findings = check_proxy(facts);
    ASSERT_EQ(findings.size(), 1U) << caught;
    EXPECT_EQ(findings[0].kind, Kind::proxy_catches_loopback);
    EXPECT_NE(findings[0].fix.find("NO_PROXY=127.0.0.1"), std::string::npos);
  }
}

}  // namespace
}  // namespace nl::doctor
