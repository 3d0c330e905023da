#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <csignal>

#include "app/serving.h"
#include "base/log.h"

namespace nl::app {

namespace asio = boost::asio;

namespace {

constexpr auto kRehearsalLook = std::chrono::milliseconds(20);

}  // namespace

void Serving::watch_signals(Worker& first) {
  signals_ = std::make_unique<asio::signal_set>(first.loop.io(), SIGTERM, SIGINT, SIGHUP);
  signals_->add(SIGUSR2);
  signals_->async_wait([this, &first](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else if (signal == SIGUSR2) {
      begin_restart();
    } else {
      drain();
    }
    watch_signals(first);
  });
}

// A whole new configuration, or the last good one: addresses, workers and limits stay as they are.
void Serving::reload() {
  auto loaded = config::load_config(options_.config, environment_);
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
  published_ = std::move(*loaded);
  publish(published_);
  announce(published_);
  log::info("configuration reloaded");
}

// What follows from `config` and the engine, for every worker.
void Serving::publish(const config::Config& config) {
  Routing routing = make_routing(config, engine_choice_ ? &*engine_choice_ : nullptr);
  routing.local_form = local_form_for(config);
  routing_ = std::move(routing);
  for (const FoundServer& server : found_) add_found(routing_, server, config);
  aim_standby();
  take_task_floors(config);
  hand_out();
}

// routing_ to every worker.
void Serving::hand_out() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    auto upstreams = make_upstreams(routing_, worker.client, worker.engine);
    if (i == 0) status_->set_upstreams(upstreams);
    asio::post(worker.loop.io(), [&worker, upstreams = std::move(upstreams)]() {
      worker.gateway->replace_upstreams(upstreams);
    });
  }
}

// The first signal lets answers finish; a second one, or the drain limit, ends them.
void Serving::drain() {
  const Instant now = clock_.now();
  const Instant deadline = draining_ ? now : now + config_.limits.drain;
  draining_ = true;
  restarting_ = false;
  log::info("draining");
  stop_workers(Leaving::close, deadline);
}

void Serving::stop_workers(Leaving leaving, Instant deadline) {
  for (const auto& worker : workers_) {
    asio::post(worker->loop.io(), [&worker = *worker, leaving, deadline]() {
      worker.leaving = leaving;
      if (leaving == Leaving::hand_over) {
        worker.server->hand_over();
      } else {
        worker.server->drain();
      }
      worker.stop_when_idle(deadline);
    });
  }
}

// The program on disk is tried first: this one goes on serving until that has shown that it could.
void Serving::begin_restart() {
  if (draining_ || restarting_) return;
  restarting_ = true;
  log::info("restart: trying {}", successor_.path());
  auto child = successor_.rehearse();
  if (!child) return end_rehearsal(child.error().message);
  rehearsal_ = std::make_unique<Rehearsal>(workers_.front()->loop.io(), std::move(*child),
                                           clock_.now() + kRehearsalWithin);
  await_rehearsal();
}

void Serving::await_rehearsal() {
  const auto status = rehearsal_->child.poll();
  if (status) {
    return end_rehearsal(*status == 0 ? "" : successor_.path() + " cannot serve; the log says why");
  }
  if (clock_.now() >= rehearsal_->until) {
    return end_rehearsal(successor_.path() + " did not end its rehearsal in time");
  }
  rehearsal_->look.expires_after(kRehearsalLook);
  rehearsal_->look.async_wait([this](const boost::system::error_code& error) {
    if (!error) await_rehearsal();
  });
}

void Serving::end_rehearsal(std::string trouble) {
  if (rehearsal_) rehearsal_->child.end(Duration::zero());
  if (!restarting_) return;  // stopped meanwhile
  if (!trouble.empty()) {
    log::error("restart refused, the running program goes on: {}", trouble);
    status_->refuse_restart(std::move(trouble));
    restarting_ = false;
    return;
  }
  log::info("restart: handing over");
  stop_workers(Leaving::hand_over, clock_.now() + config_.limits.drain);
}

// The loops have stopped; everything that is to live on is put together.
void Serving::hand_over() {
  // A second request must not end the new program before it knows the signals.
  signals_.reset();
  std::signal(SIGUSR2, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  Handover& handover = handover_.emplace();
  handover.restarts = left_.restarts + 1;
  for (const auto& worker : workers_) {
    const std::vector<int>& idle = worker->handed.connections;
    handover.connections.insert(handover.connections.end(), idle.begin(), idle.end());
  }
  const std::vector<int>& listeners = workers_.front()->handed.listeners;
  for (std::size_t i = 0; i < listen_texts_.size() && i < listeners.size(); ++i) {
    if (listeners[i] < 0) continue;
    handover.listeners.push_back({listen_texts_[i], listeners[i], locks_[i]->release()});
  }
  if (!engine_) return;
  http::Loop& loop = workers_.front()->loop;
  loop.io().restart();
  asio::co_spawn(
      loop.io(), engine_->hand_over(),
      [&loop, &handover](const std::exception_ptr&, std::optional<engine::HandedChild> child) {
        handover.engine = std::move(child);
        loop.io().stop();
      });
  loop.io().run();
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

}  // namespace nl::app
