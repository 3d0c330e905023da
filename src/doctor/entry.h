// The checks of the way in: the addresses that Nightlight is to listen on, its own certificate,
// and clients whose settings lead somewhere else.
//
// Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"

namespace nl::doctor {

struct AddressFacts {
  std::string text;          // "127.0.0.1:2300", "unix:/PATH"
  int nightlight_pid = 0;    // that holds this address's lock; 0 = none does
  bool answers = false;      // somebody takes connections there
  std::string holder;        // who that is: "python3 (pid 4711)"
  std::string stale_socket;  // its path, when nobody listens behind it
};

// A Nightlight of this user at an address that is not ours.
struct OtherNightlight {
  std::string address;
  int pid = 0;
};

struct EntryFacts {
  std::vector<AddressFacts> addresses;
  std::vector<OtherNightlight> others;
  // Of [tls]: the file, and when it ends; nothing = no certificate, or one that cannot be read.
  std::string certificate;
  std::optional<WallTime> certificate_ends;
  WallTime now;
};

inline constexpr auto kCertificateWarning = std::chrono::hours(24 * 14);

Findings check_entry(const EntryFacts& entry);

// Where a client is told to send its requests.
struct ClientSetting {
  std::string where;    // "ANTHROPIC_BASE_URL in the environment"
  std::string address;  // "127.0.0.1:4000", or a word for what it is
  std::uint16_t port = 0;
  bool loopback = false;
  bool ours = false;  // it is an address of this Nightlight
  std::string file;   // that holds it; empty = a variable
};

Findings check_client_settings(const std::vector<ClientSetting>& settings);

}  // namespace nl::doctor
