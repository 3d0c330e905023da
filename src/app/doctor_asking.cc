#include "app/doctor_asking.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "app/discover.h"
#include "app/doctor_entry.h"
#include "app/doctor_files.h"
#include "app/policy.h"
#include "config/url.h"
#include "dialect/json.h"
#include "doctor/clock.h"
#include "doctor/clouds.h"
#include "doctor/local_tier.h"
#include "doctor/probe.h"
#include "doctor/proxies.h"
#include "http/proxy.h"
#include "provider/catalog.h"

namespace nl::app {
namespace {

using doctor::Answer;
using doctor::CloudFacts;
using doctor::KeyState;

constexpr std::string_view kJson = "content-type: application/json\r\n";
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kConsoles = {{
    {"anthropic", "https://console.anthropic.com/settings/keys"},
    {"openai", "https://platform.openai.com/api-keys"},
    {"gemini", "https://aistudio.google.com/apikey"},
    {"openrouter", "https://openrouter.ai/settings/keys"},
}};

// A question's place among the probes; nothing = not asked.
using Place = std::optional<std::size_t>;

struct CloudQuestion {
  CloudFacts facts;
  Place main;
  Place credits;  // OpenRouter's account
  bool through_proxy = false;
};

// A server of this machine, which may be an Ollama whatever it is called.
struct ServerQuestion {
  std::string name;
  std::size_t models = 0;
  std::size_t version = 0;
  std::size_t loaded = 0;
  std::vector<std::pair<std::string, std::size_t>> shown;  // a model, and what it is set to
  bool window_is_stated = false;
};

KeyState key_state_of(const config::ProviderConfig& provider) {
  if (!provider.key.empty()) return KeyState::present;
  if (provider.key_source == config::KeySource::client) return KeyState::clients_own;
  return provider.key_source == config::KeySource::none ? KeyState::none_needed : KeyState::missing;
}

bool is_own_server(const config::ProviderConfig& provider) {
  return provider.tier == router::Tier::local && provider.key.empty();
}

CloudFacts facts_of(const config::ProviderConfig& provider) {
  CloudFacts facts;
  facts.name = provider.name;
  facts.host = provider.url.endpoint.authority();
  facts.key = provider.key_text;
  facts.key_state = key_state_of(provider);
  facts.named = provider.in_config;
  facts.own_server = is_own_server(provider);
  for (const auto& [name, console] : kConsoles) {
    if (provider.name == name) facts.console = console;
  }
  return facts;
}

std::optional<double> credit_in(const Answer& answer) {
  dialect::Document document;
  if (answer.status != 200 || !document.parse(answer.body)) return std::nullopt;
  const dialect::Value data = document.root()["data"];
  const auto total = data["total_credits"].number();
  const auto used = data["total_usage"].number();
  if (total && used) return *total - *used;
  return data["limit_remaining"].number();
}

// "num_ctx   4096" among the lines of what /api/show calls parameters.
std::int64_t window_in(std::string_view parameters) {
  constexpr std::string_view kName = "num_ctx";
  const std::size_t at = parameters.find(kName);
  if (at == std::string_view::npos) return 0;
  parameters.remove_prefix(at + kName.size());
  parameters.remove_prefix(std::min(parameters.find_first_not_of(" \t"), parameters.size()));
  std::int64_t value = 0;
  std::from_chars(parameters.data(), parameters.data() + parameters.size(), value);
  return value;
}

class Interview {
 public:
  Interview(const config::Config& config, const Environment& environment, const DoctorOrder& order)
      : config_(config), environment_(environment), order_(order) {}

  Asking run() {
    ask_about_clouds();
    ask_about_servers();
    ask_about_proxy();
    entry_ = entry_questions(config_, probes_);
    doctor::ProbeOptions options;
    options.within =
        std::min(options.within,
                 std::chrono::duration_cast<Duration>(options.within * config_.limits.scale));
    options.client.budgets = config_.limits.client();
    options.client.extra_ca_file = config_.ca_file;
    options.client.https_proxy = config_.https_proxy;
    options.client.no_proxy = config_.no_proxy;
    if (order_.progress) {
      options.progress = [&](std::size_t answered) { order_.progress(answered, probes_.size()); };
    }
    answers_ = doctor::ask_all(probes_, options);
    judge();
    return std::move(asking_);
  }

 private:
  std::size_t add(const http::Endpoint& endpoint, std::string target, std::string_view headers,
                  std::string body = "") {
    doctor::Probe probe;
    probe.endpoint = endpoint;
    probe.target = std::move(target);
    probe.headers = headers;
    probe.body = std::move(body);
    probes_.push_back(std::move(probe));
    return probes_.size() - 1;
  }

  bool may_ask(const http::Endpoint& endpoint) const {
    return !order_.offline || config::is_loopback(endpoint.host);
  }

  void ask_about_clouds() {
    const Routing routing = make_routing(config_);
    const http::ProxyRules rules(config_.https_proxy, config_.no_proxy);
    const http::RequestHead no_client;
    for (std::size_t i = 0; i < config_.providers.size(); ++i) {
      const config::ProviderConfig& provider = config_.providers[i];
      const provider::Setting& setting = routing.settings[i];
      CloudQuestion question;
      question.facts = facts_of(provider);
      const http::Endpoint& endpoint = provider.url.endpoint;
      const auto proxy = rules.proxy_for(endpoint);
      question.through_proxy = !proxy || proxy->has_value();
      if (question.facts.key_state != KeyState::missing && may_ask(endpoint)) {
        provider::ClientSide side;
        side.head = &no_client;
        const std::string headers = provider::header_lines(setting, side, false);
        const bool ollama = setting.dialect == dialect::DialectId::ollama;
        // What OpenRouter lists it lists to everybody: its own word on the key is asked for.
        const std::string route = setting.openrouter ? "/key" : ollama ? "/api/tags" : "/models";
        question.main = add(endpoint, setting.base.path + route, headers);
        if (setting.openrouter) {
          question.credits = add(endpoint, setting.base.path + "/credits", headers);
        }
      }
      clouds_.push_back(std::move(question));
    }
  }

  void ask_server(const std::string& name, const http::BaseUrl& base, dialect::DialectId dialect) {
    ServerQuestion question;
    question.name = name;
    question.window_is_stated = dialect == dialect::DialectId::ollama;
    const std::string route = question.window_is_stated ? "/api/tags" : "/models";
    question.models = add(base.endpoint, base.path + route, "");
    question.version = add(base.endpoint, "/api/version", "");
    question.loaded = add(base.endpoint, "/api/ps", "");
    for (const auto& tier : config_.tiers) {
      for (const config::TargetConfig& target : tier) {
        if (target.provider != name || target.model.empty()) continue;
        question.shown.emplace_back(target.model,
                                    add(base.endpoint, "/api/show", kJson,
                                        fmt::format("{{\"model\":\"{}\"}}", target.model)));
      }
    }
    servers_.push_back(std::move(question));
  }

  void ask_about_servers() {
    for (const config::ProviderConfig& provider : config_.providers) {
      const http::Endpoint& endpoint = provider.url.endpoint;
      // Only of this machine: nobody else is asked what he is.
      if (is_own_server(provider) && config::is_loopback(endpoint.host)) {
        ask_server(provider.name, provider.url, provider.dialect);
      }
    }
    if (!config_.discover || config_.named.tiers || config_.named.routes) return;
    for (const provider::KnownProvider& known : provider::known_providers()) {
      if (!known.local || config_.provider_index(known.name)) continue;
      const auto base = http::parse_base_url(config::api_root(known.base_url, known.dialect));
      if (base) ask_server(std::string(known.name), *base, known.dialect);
    }
  }

  void ask_about_proxy() {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      if (proxy_.variable.empty() && environment_.find(name)) proxy_.variable = name;
    }
    for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
      if (proxy_.plain_variable.empty() && environment_.find(name)) proxy_.plain_variable = name;
    }
    proxy_.no_proxy = config_.no_proxy;
    if (proxy_.variable.empty()) return;
    http::Endpoint somebody;
    somebody.host = "cloud.invalid";
    const auto proxy = http::ProxyRules(config_.https_proxy, "").proxy_for(somebody);
    if (!proxy || !proxy->has_value()) return;
    http::Endpoint endpoint;
    endpoint.scheme = http::Scheme::http;
    endpoint.host = (*proxy)->host;
    endpoint.port = (*proxy)->port;
    proxy_.address = fmt::format("{}:{}", endpoint.host, endpoint.port);
    if (may_ask(endpoint)) proxy_place_ = add(endpoint, "/", "");
  }

  void judge() {
    Diagnosis& diagnosis = asking_.diagnosis;
    doctor::append(diagnosis.findings, judge_entry(config_, entry_, answers_));
    if (proxy_place_) proxy_.answer = answers_[*proxy_place_];
    doctor::Findings of_proxy = doctor::check_proxy(proxy_);
    const bool dead = std::ranges::any_of(of_proxy, [](const doctor::Finding& finding) {
      return finding.kind == doctor::Kind::proxy_dead;
    });
    doctor::append(diagnosis.findings, std::move(of_proxy));
    judge_clouds(dead);
    for (const ServerQuestion& server : servers_) judge_server(server);
    doctor::append(diagnosis.findings,
                   doctor::check_client_settings(client_settings(config_, environment_)));
  }

  void judge_clouds(bool proxy_is_dead) {
    Diagnosis& diagnosis = asking_.diagnosis;
    std::vector<CloudFacts> all;
    std::vector<doctor::ClockReading> clocks;
    for (CloudQuestion& question : clouds_) {
      CloudFacts& facts = question.facts;
      if (question.main) facts.answer = answers_[*question.main];
      if (question.main) facts.credit_dollars = credit_in(answers_[*question.main]);
      if (question.credits) {
        if (const auto account = credit_in(answers_[*question.credits])) {
          facts.credit_dollars = std::min(facts.credit_dollars.value_or(*account), *account);
        }
      }
      if (facts.answer) {
        // A server of this machine goes by the same clock: it would vouch for it.
        const auto date =
            facts.own_server ? std::nullopt : doctor::parse_http_date(facts.answer->date);
        if (date) {
          clocks.push_back({facts.host, *date, facts.answer->at});
        }
        diagnosis.looked_at.push_back(line_of(facts));
      }
      // One dead proxy is one finding.
      const bool lost =
          proxy_is_dead && question.through_proxy && facts.answer && !facts.answer->answered();
      if (!lost) doctor::append(diagnosis.findings, doctor::check_cloud(facts));
      all.push_back(facts);
    }
    doctor::append(diagnosis.findings, doctor::check_keys(all));
    doctor::append(diagnosis.findings, doctor::check_clock(clocks));
  }

  static std::string line_of(const CloudFacts& facts) {
    const Answer& answer = *facts.answer;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(answer.took).count();
    if (!answer.answered()) return fmt::format("{} ({}): no answer", facts.name, facts.host);
    return fmt::format("{} ({}): status {} after {} ms", facts.name, facts.host, answer.status,
                       took);
  }

  void judge_server(const ServerQuestion& server) {
    const Answer& models = answers_[server.models];
    const bool has_model = models.status == 200 && !chat_models(models.body).empty();
    asking_.local_server_has_model = asking_.local_server_has_model || has_model;
    doctor::OllamaFacts facts;
    facts.window_is_stated = server.window_is_stated;
    const Answer& version = answers_[server.version];
    dialect::Document document;
    if (version.status != 200 || !document.parse(version.body)) return;
    facts.version = document.root()["version"].text().utf8().substr(0, 32);
    if (facts.version.empty()) return;
    facts.answers = true;
    asking_.diagnosis.looked_at.push_back(fmt::format("{}: Ollama {}", server.name, facts.version));
    const std::string setting = environment_.text("OLLAMA_CONTEXT_LENGTH");
    std::from_chars(setting.data(), setting.data() + setting.size(), facts.context_setting);
    add_loaded(facts, answers_[server.loaded]);
    for (const auto& [name, place] : server.shown) add_shown(facts, name, answers_[place]);
    doctor::append(asking_.diagnosis.findings, doctor::check_ollama(facts));
  }

  static void add_loaded(doctor::OllamaFacts& facts, const Answer& answer) {
    dialect::Document document;
    if (answer.status != 200 || !document.parse(answer.body)) return;
    for (dialect::Value model = document.root()["models"].first(); model; model = model.next()) {
      facts.models.push_back({model["name"].text().utf8().substr(0, 100),
                              model["context_length"].integer().value_or(0)});
    }
  }

  static void add_shown(doctor::OllamaFacts& facts, const std::string& name, const Answer& answer) {
    dialect::Document document;
    if (answer.status != 200 || !document.parse(answer.body)) return;
    const bool loaded = std::ranges::any_of(
        facts.models, [&](const doctor::OllamaModelFacts& model) { return model.name == name; });
    const std::string parameters = document.root()["parameters"].text().utf8();
    if (!loaded) facts.models.push_back({name, window_in(parameters)});
  }

  const config::Config& config_;
  const Environment& environment_;
  const DoctorOrder& order_;
  std::vector<doctor::Probe> probes_;
  std::vector<Answer> answers_;
  std::vector<CloudQuestion> clouds_;
  std::vector<ServerQuestion> servers_;
  doctor::ProxyFacts proxy_;
  Place proxy_place_;
  EntryQuestions entry_;
  Asking asking_;
};

}  // namespace

Asking ask_everybody(const config::Config& config, const Environment& environment,
                     const DoctorOrder& order) {
  return Interview(config, environment, order).run();
}

}  // namespace nl::app
