#include "doctor/entry.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "doctor/clock.h"

namespace nl::doctor {
namespace {

// The usual ports of others that stand between a client and a model.
constexpr std::array<std::pair<std::uint16_t, std::string_view>, 8> kGateways = {{
    {4000, "LiteLLM"},
    {3456, "claude-code-router"},
    {8787, "Portkey"},
    {3000, "new-api or one-api"},
    {11434, "Ollama"},
    {1234, "LM Studio"},
    {8000, "vLLM"},
    {8080, "llama-server"},
}};

std::string_view gateway_at(const ClientSetting& setting) {
  if (!setting.loopback) return "";
  for (const auto& [port, name] : kGateways) {
    if (port == setting.port) return name;
  }
  return "";
}

Findings check_address(const AddressFacts& address) {
  if (!address.stale_socket.empty()) {
    Finding finding =
        found(Kind::socket_stale, fmt::format("nobody listens on {}", address.stale_socket),
              fmt::format("rm '{}' (`--fix` does it)", address.stale_socket));
    finding.repair = Repair{RepairKind::remove_socket, {address.stale_socket}};
    return {std::move(finding)};
  }
  if (address.nightlight_pid > 0) {
    return {found(Kind::already_serving, fmt::format("Nightlight serves {} already, pid {}",
                                                     address.text, address.nightlight_pid))};
  }
  if (!address.answers) return {};
  return {found(Kind::port_taken, fmt::format("{} is taken by {}", address.text, address.holder))};
}

}  // namespace

Findings check_entry(const EntryFacts& entry) {
  Findings findings;
  for (const AddressFacts& address : entry.addresses) append(findings, check_address(address));
  for (const OtherNightlight& other : entry.others) {
    findings.push_back(
        found(Kind::other_nightlight,
              fmt::format("another Nightlight serves {}, pid {}", other.address, other.pid),
              fmt::format("end it if no client uses it: kill {}", other.pid)));
  }
  if (entry.certificate_ends && *entry.certificate_ends - entry.now < kCertificateWarning) {
    const auto left =
        std::chrono::duration_cast<std::chrono::seconds>(*entry.certificate_ends - entry.now);
    findings.push_back(found(Kind::listener_certificate,
                             fmt::format("{} expires in {}", entry.certificate, span_text(left))));
  }
  return findings;
}

Findings check_client_settings(const std::vector<ClientSetting>& settings) {
  Findings findings;
  for (const ClientSetting& setting : settings) {
    if (setting.ours) continue;
    const std::string_view known = gateway_at(setting);
    findings.push_back(found(
        Kind::other_gateway,
        fmt::format("{} leads to {}{}, past Nightlight", setting.where, setting.address,
                    known.empty() ? "" : fmt::format(" (the usual port of {})", known)),
        setting.file.empty()
            ? fmt::format("start the client with `nightlight run`, or remove {}", setting.where)
            // It wins over what `run` sets.
            : fmt::format("nightlight connect claude, or remove it from {}", setting.file)));
  }
  return findings;
}

}  // namespace nl::doctor
