#include "app/serving.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <cstdio>

#include "app/announcements.h"
#include "app/listening.h"
#include "app/plan_view.h"
#include "app/profiles.h"
#include "base/block_cache.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/fit_record.h"
#include "http/server.h"
#include "models/engine_choice.h"
#include "models/model_record.h"
#include "models/size_choice.h"
#include "standby/local_forms.h"

namespace nl::app {

namespace asio = boost::asio;

namespace {

// For each local server that is asked for its models at start.
constexpr Duration kDiscoverWithin = std::chrono::milliseconds(300);
// Today's earlier requests that are summed up for `status` at a start.
constexpr std::int64_t kEarlierRequestsMax = 20'000;

int say(const Error& error) {
  std::fprintf(stderr, "nightlight: %s\n", error.message.c_str());
  return 1;
}

}  // namespace

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

Result<void> Serving::choose_engine() {
  if (!config_.uses_engine()) return {};
  engine_choice_ = models::choose_engine(config_.engine, environment_, models::program_folder());
  if (engine_choice_->trouble.empty()) return {};
  if (!options_.config.model.empty()) {
    return fail(ErrorCode::config, "--model: " + engine_choice_->trouble);
  }
  log::warn("{}", engine_choice_->trouble);
  return {};
}

void Serving::forget_failures() {
  const auto forgotten =
      engine::FitRecord(models::fit_record_path(models::model_store(environment_))).forget();
  if (!forgotten) log::warn("{}", forgotten.error().message);
}

void Serving::add_engine(http::Loop& loop) {
  LocalEngineParts parts{environment_.text("XDG_RUNTIME_DIR"),
                         std::exchange(left_.engine, std::nullopt)};
  engine_ = std::make_unique<LocalEngine>(loop, *engine_choice_, std::move(parts));
  status_->set_engine(engine_->supervisor());
}

// The one there is for as long as its settings stay: it remembers what was decided for every
// conversation, and engines have read the bytes that follow from that.
std::shared_ptr<chat::LocalForm> Serving::local_form_for(const config::Config& config) {
  if (!config.local.profile && !config.local.fit) {
    form_settings_.reset();
    return nullptr;
  }
  standby::LocalFormSettings settings;
  if (config.local.profile) {
    Profiles loaded = load_profiles(environment_);
    for (const std::string& warning : loaded.warnings) log::warn("{}", warning);
    settings.profiles = std::move(loaded.list);
  } else {
    settings.rendering = standby::Rendering::as_sent;
  }
  if (!config.local.fit) settings.fitting = standby::Fitting::off;
  if (routing_.local_form && form_settings_ == settings) return routing_.local_form;
  form_settings_ = settings;
  return std::make_shared<standby::LocalForms>(std::move(settings));
}

Result<void> Serving::build() {
  published_ = config_;
  if (const auto chosen = choose_engine(); !chosen) return chosen;
  const models::EngineChoice* engine = engine_choice_ ? &*engine_choice_ : nullptr;
  routing_ = make_routing(config_, engine);
  routing_.local_form = local_form_for(config_);
  found_ = discover(config_, kDiscoverWithin);
  for (const FoundServer& server : found_) add_found(routing_, server, config_);
  take_task_floors(config_);
  gateway_options_ = gateway_options(config_);
  health_.scale_times(config_.limits.scale);
  waiting_ = std::make_unique<gateway::WaitingRoom>(gateway_options_.queue_max);
  const admin::StatusParts status_parts{clock_, health_, *spend_, *tally_, *ledger_};
  status_ = std::make_unique<admin::Status>(status_parts);
  if (!ledger_note_.empty()) status_->add_note(ledger_note_);
  status_->set_restarts(left_.restarts);
  for (int i = 0; i < config_.workers; ++i) {
    auto worker = std::make_unique<Worker>(clock_, client_options(config_));
    if (engine != nullptr && !engine_) add_engine(worker->loop);
    if (engine_) worker->engine = &engine_->readiness_on(worker->loop);
    if (i == 0) make_standby();
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

// Also where only the self-test model is there now: a model may be pulled.
void Serving::make_standby() {
  if (config_.standby.enabled == config::StandbyEnabled::off) return;
  if (!engine_ && !standby_target(routing_)) return;
  standby_ = std::make_unique<standby::Standby>(clock_, standby_options(config_.standby),
                                                std::make_unique<standby::SystemSurroundings>());
  standby_link_ = std::make_unique<StandbyLink>(*standby_);
  status_->set_standby(*standby_);
  aim_standby();
}

// Keeps warm what routing_ would ask; nobody copies turns where that is nobody.
void Serving::aim_standby() {
  if (!standby_) return;
  std::optional<standby::Target> target = standby_target(routing_);
  if (target && target->setting.name == "engine" && engine_) {
    target->engine = &engine_->supervisor();
    if (!engine_choice_->ember) {
      target->forms = routing_.local_form;
      target->asked.model = engine_choice_->model.name;
      target->asked.context_tokens = engine_choice_->model.context_tokens;
      target->asked.server = dialect::Server::llama_server;
    }
  }
  routing_.observer = target ? standby_link_.get() : nullptr;
  standby_->aim(std::move(target));
}

// The herald of `config` in the place of an earlier one.
void Serving::announce(const config::Config& config) {
  std::unique_ptr<admin::Herald> herald = make_herald(clock_, *tally_, config, environment_);
  if (herald && herald_) herald->succeed(*herald_);
  herald_ = std::move(herald);
  if (herald_) herald_->begin();
}

// True when an earlier program has left `text` bound.
bool Serving::take_over(const std::string& text, const http::ListenAddress& address,
                        std::shared_ptr<http::TlsDoor> door) {
  const auto left =
      std::find_if(left_.listeners.begin(), left_.listeners.end(),
                   [&text](const HandedListener& one) { return one.address == text; });
  if (left == left_.listeners.end()) return false;
  locks_.push_back(http::ListenLock::adopt(left->lock));
  workers_.front()->server->adopt_listener(address, left->descriptor, std::move(door));
  left_.listeners.erase(left);
  return true;
}

Result<void> Serving::listen() {
  http::Server& server = *workers_.front()->server;
  std::vector<http::Server*> all;
  for (const auto& worker : workers_) all.push_back(worker->server.get());
  server.share(all);
  if (config_.tls) door_ = std::make_shared<http::TlsDoor>(config_.tls);
  for (const std::string& text : config_.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address) return std::unexpected(address.error());
    const auto door = config_.speaks_tls(*address) ? door_ : nullptr;
    if (!take_over(text, *address, door)) {
      auto lock = http::ListenLock::take(lock_folder(config_), *address);
      if (!lock) return std::unexpected(std::move(lock.error()));
      const Result<void> bound = server.listen(*address, door);
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
    }
    addresses_.push_back(text);
  }
  listen_texts_ = addresses_;
  const std::vector<std::uint16_t> ports = server.ports();
  for (std::size_t i = 0; i < addresses_.size() && i < ports.size(); ++i) {
    if (addresses_[i].ends_with(":0")) {
      addresses_[i].resize(addresses_[i].size() - 1);
      addresses_[i] += std::to_string(ports[i]);
    }
  }
  status_->set_listen(addresses_);
  for (const int connection : std::exchange(left_.connections, {})) {
    server.adopt_connection(connection);
  }
  return {};
}

void Serving::print_plan() const {
  std::string text = fmt::format("nightlight {} serving on", kVersion);
  for (const std::string& address : addresses_) text += " " + address;
  text += fmt::format(" (pid {})\n", ::getpid());
  text += plan_text(config_, routing_);
  if (engine_choice_ && !engine_choice_->explained.empty()) {
    text += "\n" + engine_choice_->explained;
  }
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

int Serving::rehearse() {
  auto loaded = config::load_config(options_.config, environment_);
  if (!loaded) return say(loaded.error());
  config_ = std::move(*loaded);
  if (const auto own = refuse_own_address(config_); !own) return say(own.error());
  if (const auto chosen = choose_engine(); !chosen) return say(chosen.error());
  return 0;
}

int Serving::run() {
  auto loaded = config::load_config(options_.config, environment_);
  if (!loaded) return say(loaded.error());
  config_ = std::move(*loaded);
  clear_variables(config_.key_variables);
  if (const auto own = refuse_own_address(config_); !own) return say(own.error());
  if (const auto opened = open_ledger(); !opened) return say(opened.error());
  // A restart keeps the command line, but begins nothing anew.
  if (options_.retry && left_.restarts == 0) forget_failures();
  if (const auto built = build(); !built) return say(built.error());
  if (const auto bound = listen(); !bound) return say(bound.error());
  const int restarts = left_.restarts;
  discard(std::exchange(left_, Handover()));
  left_.restarts = restarts;
  Worker& first = *workers_.front();
  first.others = &others_;
  watch_signals(first);
  print_plan();
  watch_models();
  watch_task_floors();
  announce(config_);
  if (standby_) standby_->begin();
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    others_.fetch_add(1, std::memory_order_relaxed);
    worker.thread = std::thread([this, &worker]() {
      BlockCache blocks;
      const auto work = asio::make_work_guard(worker.loop.io());
      worker.loop.io().run();
      others_.fetch_sub(1, std::memory_order_release);
    });
  }
  {
    BlockCache blocks;
    first.loop.io().run();
  }
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  if (herald_) herald_->stop();
  if (standby_) standby_->stop();
  if (restarting_) {
    hand_over();
  } else {
    stop_engine();
  }
  ledger_->flush(1000);
  return 0;
}

}  // namespace nl::app
