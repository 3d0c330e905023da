#include "doctor/clouds.h"

#include <fmt/format.h>

#include <algorithm>

namespace nl::doctor {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// What a failed verification says, in OpenSSL's words.
Kind kind_of_tls(const std::string& message) {
  const std::string said = lower(message);
  if (contains(said, "expired") || contains(said, "not yet valid")) {
    return Kind::certificate_expired;
  }
  if (contains(said, "mismatch")) return Kind::certificate_name;
  const bool unknown = contains(said, "self-signed") || contains(said, "self signed") ||
                       contains(said, "issuer") || contains(said, "unable to verify") ||
                       contains(said, "untrusted") || contains(said, "certificate verify failed");
  return unknown ? Kind::certificate_untrusted : Kind::tls_fails;
}

Finding way_broken(const CloudFacts& cloud, const Error& error) {
  const auto at = [&](Kind kind, std::string fix = "") {
    return found(kind, fmt::format("{}: {}", cloud.name, error.message), std::move(fix));
  };
  if (cloud.own_server) {
    return found(Kind::local_server_down,
                 fmt::format("{} at {}: {}", cloud.name, cloud.host, error.message));
  }
  if (error.code == ErrorCode::tls) return at(kind_of_tls(error.message));
  if (error.code == ErrorCode::dns) return at(Kind::name_unknown);
  if (contains(error.message, "proxy refused")) return at(Kind::proxy_refuses);
  if (error.code == ErrorCode::config) {
    return at(contains(error.message, "CA file") ? Kind::certificate_untrusted : Kind::unreachable,
              error.message);
  }
  // Something took the connection and then did not speak HTTP.
  if (error.code == ErrorCode::protocol) return at(Kind::provider_odd);
  return at(Kind::unreachable);
}

bool is_page(const Answer& answer) {
  return contains(lower(answer.content_type), "text/html");
}

// Google says so with a status of its own.
bool says_wrong_key(const Answer& answer) {
  return answer.status == 401 ||
         (answer.status == 400 && contains(answer.body, "API key not valid"));
}

// A key may be good for answers and not for the list of models.
bool says_key_is_narrow(const Answer& answer) {
  return answer.status == 403 && contains(lower(answer.body), "missing scopes");
}

bool says_wrong_place(const Answer& answer) {
  const std::string said = lower(answer.body);
  return answer.status == 403 &&
         (contains(said, "country") || contains(said, "region") || contains(said, "location"));
}

Findings key_refused(const CloudFacts& cloud) {
  if (says_wrong_place(*cloud.answer)) {
    Finding finding = found(
        Kind::unreachable,
        fmt::format("{} does not serve the place that this network is in (status 403)", cloud.name),
        "another key does not help: look at the network, VPN and proxy, or let the next tier "
        "answer");
    finding.severity = Severity::warning;
    return {std::move(finding)};
  }
  if (cloud.key_state != KeyState::present) return {};
  if (says_key_is_narrow(*cloud.answer)) {
    Finding finding = found(
        Kind::key_refused,
        fmt::format("the key from {} may not list the models of {}, so it was not tested (status "
                    "403)",
                    cloud.key, cloud.name),
        "nothing to do where requests are answered; else let the key list models as well");
    finding.severity = Severity::note;
    return {std::move(finding)};
  }
  return {found(Kind::key_refused,
                fmt::format("{} refuses the key from {} (status {})", cloud.name, cloud.key,
                            cloud.answer->status),
                fmt::format("make a new key{} and put it into {}",
                            cloud.console.empty() ? "" : " at " + cloud.console, cloud.key))};
}

Findings of_status(const CloudFacts& cloud) {
  const Answer& answer = *cloud.answer;
  const int status = answer.status;
  const auto says = [&](Kind kind, std::string_view what) {
    return Findings{found(kind, fmt::format("{} {} (status {})", cloud.name, what, status))};
  };
  if (status == 511 || status / 100 == 3 || (status / 100 == 2 && is_page(answer))) {
    if (cloud.own_server) return says(Kind::provider_odd, "answers with a page");
    return says(Kind::captive_portal, "is not who answers at " + cloud.host);
  }
  if (says_wrong_key(answer) || status == 403) return key_refused(cloud);
  if (status == 402) return says(Kind::credit_empty, "asks for payment");
  if (status == 429) return says(Kind::quota_reached, "says that a limit is reached");
  if (status == 404 || status == 405) {
    return says(Kind::provider_odd, "does not know the route that lists models");
  }
  if (status / 100 == 5) return says(Kind::provider_fails, "fails");
  return {};
}

}  // namespace

Findings check_cloud(const CloudFacts& cloud) {
  if (cloud.key_state == KeyState::missing && cloud.named) {
    return {found(Kind::key_missing,
                  fmt::format("{} has no key: {} is not set", cloud.name, cloud.key),
                  fmt::format("export {}=..., or remove {} from the configuration",
                              cloud.key.starts_with("env:") ? cloud.key.substr(4) : "its variable",
                              cloud.name))};
  }
  if (!cloud.answer) return {};
  if (!cloud.answer->answered()) return {way_broken(cloud, *cloud.answer->error)};
  Findings findings = of_status(cloud);
  if (findings.empty() && cloud.credit_dollars && *cloud.credit_dollars <= 0) {
    findings.push_back(found(Kind::credit_empty, fmt::format("{} has no credit left (${:.2f})",
                                                             cloud.name, *cloud.credit_dollars)));
  }
  return findings;
}

Findings check_keys(const std::vector<CloudFacts>& clouds) {
  const bool any = std::ranges::any_of(clouds, [](const CloudFacts& cloud) {
    return !cloud.own_server && cloud.key_state == KeyState::present;
  });
  if (any) return {};
  std::string way;
  for (const CloudFacts& cloud : clouds) {
    if (cloud.key_state == KeyState::clients_own) way += (way.empty() ? "" : ", ") + cloud.name;
  }
  return {found(Kind::no_cloud,
                way.empty()
                    ? "no cloud has a key"
                    : fmt::format("no cloud has a key: {} can be reached with a client's own "
                                  "login only",
                                  way))};
}

}  // namespace nl::doctor
