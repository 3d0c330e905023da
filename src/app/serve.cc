#include "app/serve.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "admin/status.h"
#include "app/config.h"
#include "app/discover.h"
#include "app/local_engine.h"
#include "app/plan_view.h"
#include "app/policy.h"
#include "app/worker.h"
#include "base/hardening.h"
#include "base/log.h"
#include "base/version.h"
#include "gateway/gateway.h"
#include "http/listen_lock.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "state/ledger.h"

namespace nl::app {
namespace {

namespace asio = boost::asio;

// For each local server that is asked for its models at start.
constexpr Duration kDiscoverWithin = std::chrono::milliseconds(300);
// Today's earlier requests that are summed up for `status` at a start.
constexpr std::int64_t kEarlierRequestsMax = 20'000;

int say(const Error& error) {
  std::fprintf(stderr, "nightlight: %s\n", error.message.c_str());
  return 1;
}

// The folder of the locks: the user's own in the system's place for temporary files, so that two
// gateways with different homes see each other; else beside the ledger.
std::string lock_folder(const Config& config) {
  std::error_code error;
  const std::filesystem::path shared =
      std::filesystem::temp_directory_path(error) / fmt::format("nightlight-{}", ::getuid());
  ::mkdir(shared.c_str(), 0700);
  struct stat found {};
  const bool own = !error && ::lstat(shared.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
                   found.st_uid == ::getuid() && (found.st_mode & 077) == 0;
  if (own) return shared;
  const std::string beside = config.state_dir + "/run";
  std::filesystem::create_directories(beside, error);
  return beside;
}

// A provider that points at ourselves would send every request round for ever.
Result<void> refuse_own_address(const Config& config) {
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address || !address->unix_path.empty() || address->port == 0) continue;
    for (const ProviderConfig& provider : config.providers) {
      const http::Endpoint& endpoint = provider.url.endpoint;
      const bool here = endpoint.host == address->host || endpoint.host == "localhost";
      if (here && endpoint.port == address->port && endpoint.scheme == http::Scheme::http) {
        return fail(ErrorCode::config,
                    fmt::format("provider {} has this gateway's own address {} as its base_url; "
                                "write the address of the model server",
                                provider.name, text));
      }
    }
  }
  return {};
}

// The whole program of `up`, in the order in which it is built; destroyed in reverse.
class Serving {
 public:
  Serving(const CliOptions& options, const Environment& environment)
      : options_(options), environment_(environment) {}

  int run();

 private:
  Result<void> open_ledger();
  Result<void> build();
  void choose_engine();
  void stop_engine();
  Result<void> listen();
  void print_plan() const;
  void watch_signals(Worker& first);
  void reload();
  void drain();

  const CliOptions& options_;
  const Environment& environment_;
  SystemClock clock_;
  Config config_;
  std::optional<EngineChoice> engine_choice_;
  Routing routing_;
  std::vector<FoundServer> found_;  // local servers that answered at start
  gateway::GatewayOptions gateway_options_;
  std::vector<std::unique_ptr<http::ListenLock>> locks_;
  std::unique_ptr<state::Ledger> ledger_;
  std::string ledger_note_;
  router::Health health_;
  std::unique_ptr<gateway::SpendGuard> spend_;
  std::unique_ptr<gateway::Tally> tally_;
  std::jthread earlier_today_;  // reads the ledger of today's earlier runs into tally_
  std::unique_ptr<gateway::WaitingRoom> waiting_;
  std::unique_ptr<admin::Status> status_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<LocalEngine> engine_;  // before its loop's end
  std::shared_ptr<http::TlsDoor> door_;
  std::unique_ptr<asio::signal_set> signals_;
  std::vector<std::string> addresses_;  // really bound
  std::atomic<int> others_{0};          // workers but the first that still run
  bool draining_ = false;
};

Result<void> Serving::open_ledger() {
  auto opened = state::open_ledger(config_.ledger_path());
  if (!opened) {
    // A home that cannot be written must not keep the gateway from serving.
    const std::string wanted = config_.ledger_path();
    config_.state_dir = lock_folder(config_);
    log::warn("{}; the ledger is kept in {} until that is put right", opened.error().message,
              config_.ledger_path());
    opened = state::open_ledger(config_.ledger_path());
    if (!opened) return std::unexpected(std::move(opened.error()));
    opened->note = "ledger " + wanted + " cannot be used; it is kept in " + config_.ledger_path();
  }
  ledger_ = std::move(opened->ledger);
  ledger_note_ = std::move(opened->note);
  if (!ledger_note_.empty()) log::warn("{}", ledger_note_);
  const std::string path = config_.ledger_path();
  const std::int64_t from = gateway::local_day_start_unix_ms(clock_.wall());
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall().time_since_epoch())
          .count();
  // An index answers the first two questions at once; the sums of a long day take a while, and of a
  // very long one they are left to `report`.
  const auto spent = state::LedgerReader(path).paid_failover_since(from);
  const auto earlier = state::LedgerReader(path).count_since(from, kEarlierRequestsMax + 1);
  spend_ = std::make_unique<gateway::SpendGuard>(clock_, spent.value_or(0));
  tally_ = std::make_unique<gateway::Tally>(clock_);
  if (earlier.value_or(0) == 0) return {};
  if (*earlier > kEarlierRequestsMax) {
    if (!ledger_note_.empty()) return {};
    ledger_note_ = "status counts from this start on; `nightlight report` has the whole day";
    return {};
  }
  earlier_today_ = std::jthread([path, from, now, tally = tally_.get()]() {
    const auto today = state::LedgerReader(path).sums(from, now);
    if (today) tally->add_earlier(*today);
  });
  return {};
}

void Serving::choose_engine() {
  if (!config_.uses_engine()) return;
  engine_choice_ = app::choose_engine(config_.engine, environment_, program_folder());
  if (!engine_choice_->trouble.empty()) log::warn("{}", engine_choice_->trouble);
}

Result<void> Serving::build() {
  choose_engine();
  if (!options_.config.model.empty() && engine_choice_ && !engine_choice_->trouble.empty()) {
    return fail(ErrorCode::config, "--model: " + engine_choice_->trouble);
  }
  const EngineChoice* engine = engine_choice_ ? &*engine_choice_ : nullptr;
  routing_ = make_routing(config_, engine);
  found_ = discover(config_, kDiscoverWithin);
  for (const FoundServer& server : found_) add_found(routing_, server, config_);
  gateway_options_ = gateway_options(config_);
  health_.scale_times(config_.limits.scale);
  waiting_ = std::make_unique<gateway::WaitingRoom>(gateway_options_.queue_max);
  const admin::StatusParts status_parts{clock_, health_, *spend_, *tally_, *ledger_};
  status_ = std::make_unique<admin::Status>(status_parts);
  if (!ledger_note_.empty()) status_->add_note(ledger_note_);
  for (int i = 0; i < config_.workers; ++i) {
    auto worker = std::make_unique<Worker>(clock_, client_options(config_));
    if (engine != nullptr && !engine_) {
      engine_ = std::make_unique<LocalEngine>(worker->loop, *engine,
                                              environment_.text("XDG_RUNTIME_DIR"));
      status_->set_engine(engine_->supervisor());
    }
    if (engine_) worker->engine = &engine_->readiness_on(worker->loop);
    const gateway::GatewayParts parts{worker->loop, health_, *ledger_, *spend_,
                                      *waiting_,    *tally_, *status_, gateway_options_};
    auto upstreams = make_upstreams(routing_, worker->client, worker->engine);
    if (i == 0) status_->set_upstreams(upstreams);
    worker->gateway = std::make_unique<gateway::Gateway>(parts, std::move(upstreams));
    http::ServerLimits limits = config_.limits.server();
    limits.body_memory_max /= static_cast<std::size_t>(config_.workers);
    worker->server = std::make_unique<http::Server>(worker->loop, *worker->gateway, limits);
    workers_.push_back(std::move(worker));
  }
  return {};
}

Result<void> Serving::listen() {
  http::Server& server = *workers_.front()->server;
  std::vector<http::Server*> all;
  for (const auto& worker : workers_) all.push_back(worker->server.get());
  server.share(all);
  const std::string folder = lock_folder(config_);
  if (config_.tls) door_ = std::make_shared<http::TlsDoor>(config_.tls);
  for (const std::string& text : config_.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address) return std::unexpected(address.error());
    auto lock = http::ListenLock::take(folder, *address);
    if (!lock) return std::unexpected(std::move(lock.error()));
    const Result<void> bound =
        server.listen(*address, config_.speaks_tls(*address) ? door_ : nullptr);
    if (!bound) {
      // A machine without IPv6 still has the first of the default addresses.
      if (config_.listen_is_default && !addresses_.empty()) {
        log::warn("{}", bound.error().message);
        continue;
      }
      return fail(ErrorCode::io,
                  fmt::format("{}{}{}; stop what has it, or listen elsewhere, e.g. "
                              "`nightlight --listen 127.0.0.1:2301 up`",
                              config_.listen_place, config_.listen_place.empty() ? "" : ": ",
                              bound.error().message));
    }
    locks_.push_back(std::move(*lock));
    addresses_.push_back(text);
  }
  const std::vector<std::uint16_t> ports = server.ports();
  for (std::size_t i = 0; i < addresses_.size() && i < ports.size(); ++i) {
    if (addresses_[i].ends_with(":0")) {
      addresses_[i].resize(addresses_[i].size() - 1);
      addresses_[i] += std::to_string(ports[i]);
    }
  }
  status_->set_listen(addresses_);
  return {};
}

void Serving::print_plan() const {
  std::string text = fmt::format("nightlight {} serving on", kVersion);
  for (const std::string& address : addresses_) text += " " + address;
  text += fmt::format(" (pid {})\n", ::getpid());
  text += plan_text(config_, routing_);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void Serving::watch_signals(Worker& first) {
  signals_ = std::make_unique<asio::signal_set>(first.loop.io(), SIGTERM, SIGINT, SIGHUP);
  signals_->async_wait([this, &first](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else {
      drain();
    }
    watch_signals(first);
  });
}

// A whole new configuration, or the last good one: addresses, workers and limits stay as they are.
void Serving::reload() {
  auto loaded = load_config(options_.config, environment_);
  if (!loaded) {
    log::error("reload refused, the last good configuration stays: {}", loaded.error().message);
    return;
  }
  if (loaded->uses_engine() != engine_choice_.has_value() || loaded->engine != config_.engine) {
    log::warn("the engine stays as it is: a change of [engine] needs a restart");
  }
  if ((loaded->tls != nullptr) != (door_ != nullptr)) {
    log::warn("the listener stays as it is: [tls] added or removed needs a restart");
  } else if (door_) {
    door_->replace(loaded->tls);
  }
  config_.providers = loaded->providers;
  routing_ = make_routing(*loaded, engine_choice_ ? &*engine_choice_ : nullptr);
  for (const FoundServer& server : found_) add_found(routing_, server, *loaded);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    auto upstreams = make_upstreams(routing_, worker.client, worker.engine);
    if (i == 0) status_->set_upstreams(upstreams);
    asio::post(worker.loop.io(), [&worker, upstreams = std::move(upstreams)]() {
      worker.gateway->replace_upstreams(upstreams);
    });
  }
  log::info("configuration reloaded");
}

// The first signal lets answers finish; a second one, or the drain limit, ends them.
void Serving::drain() {
  const Instant now = clock_.now();
  const Instant deadline = draining_ ? now : now + config_.limits.drain;
  draining_ = true;
  log::info("draining");
  for (const auto& worker : workers_) {
    asio::post(worker->loop.io(), [&worker = *worker, deadline]() {
      worker.server->drain();
      worker.stop_when_idle(deadline);
    });
  }
}

// The first worker's loop has ended its work; the engine's child ends in order on it.
void Serving::stop_engine() {
  if (!engine_) return;
  http::Loop& loop = workers_.front()->loop;
  loop.io().restart();
  asio::co_spawn(loop.io(), engine_->stop(),
                 [&loop](const std::exception_ptr&) { loop.io().stop(); });
  loop.io().run();
}

int Serving::run() {
  auto loaded = load_config(options_.config, environment_);
  if (!loaded) return say(loaded.error());
  config_ = std::move(*loaded);
  clear_variables(config_.key_variables);
  if (const auto own = refuse_own_address(config_); !own) return say(own.error());
  if (const auto opened = open_ledger(); !opened) return say(opened.error());
  if (const auto built = build(); !built) return say(built.error());
  if (const auto bound = listen(); !bound) return say(bound.error());
  Worker& first = *workers_.front();
  first.others = &others_;
  watch_signals(first);
  print_plan();
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    others_.fetch_add(1, std::memory_order_relaxed);
    worker.thread = std::thread([this, &worker]() {
      const auto work = asio::make_work_guard(worker.loop.io());
      worker.loop.io().run();
      others_.fetch_sub(1, std::memory_order_release);
    });
  }
  first.loop.io().run();
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  stop_engine();
  ledger_->flush(1000);
  return 0;
}

}  // namespace

int serve(const CliOptions& options) {
  harden_process();
  keep_freed_memory();
  log::set_level(options.level);
  const Environment environment = Environment::of_process();
  Serving serving(options, environment);
  return serving.run();
}

}  // namespace nl::app
