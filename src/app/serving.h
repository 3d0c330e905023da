// Serving: the whole program of `up`, in the order in which it is built; destroyed in reverse.
//
// serving.cc builds it and runs it, serving_signals.cc has what a signal asks for: reload, drain,
// restart; serving_models.cc and serving_floors.cc look for a model and for readiness that appear.
// A planned restart ends run() with a Handover: everything that is to live on, for the program that
// replaces this one or, if that fails, for the next Serving. Main thread.
#pragma once

#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admin/herald.h"
#include "admin/status.h"
#include "app/cli.h"
#include "app/discover.h"
#include "app/handover.h"
#include "app/local_engine.h"
#include "app/policy.h"
#include "app/standby_link.h"
#include "app/successor.h"
#include "app/worker.h"
#include "base/environment.h"
#include "config/config.h"
#include "gateway/gateway.h"
#include "http/listen_lock.h"
#include "http/tls_server.h"
#include "standby/local_forms.h"
#include "state/ledger.h"
#include "work/readiness.h"

namespace nl::app {

class Serving {
 public:
  Serving(const CliOptions& options, const Environment& environment, const Successor& successor)
      : options_(options), environment_(environment), successor_(successor) {}

  // Takes over what an earlier program left, before run().
  void adopt(Handover handover) { left_ = std::move(handover); }
  int run();
  // Whether it could serve; says why not.
  int rehearse();
  // What is left for a successor; nothing when it was stopped for good.
  std::optional<Handover> take_handover() { return std::exchange(handover_, std::nullopt); }

 private:
  Result<void> open_ledger();
  Result<void> build();
  Result<void> choose_engine();
  void forget_failures();
  void add_engine(http::Loop& loop);
  void make_standby();
  void announce(const config::Config& config);
  void aim_standby();
  std::shared_ptr<chat::LocalForm> local_form_for(const config::Config& config);
  void stop_engine();
  Result<void> listen();
  bool take_over(const std::string& text, const http::ListenAddress& address,
                 std::shared_ptr<http::TlsDoor> door);
  void print_plan() const;
  void watch_signals(Worker& first);
  void reload();
  void publish(const config::Config& config);
  void hand_out();
  void take_task_floors(const config::Config& config);
  void watch_task_floors();
  void watch_models();
  void look_for_models();
  void take_choice(models::EngineChoice choice);
  void drain();
  void stop_workers(Leaving leaving, Instant deadline);
  void begin_restart();
  void await_rehearsal();
  void end_rehearsal(std::string trouble);
  void hand_over();

  // The program on disk at its trial.
  struct Rehearsal {
    Rehearsal(boost::asio::io_context& io, Child trial, Instant limit)
        : child(std::move(trial)), look(io), until(limit) {}
    Child child;
    boost::asio::steady_timer look;
    Instant until;
  };

  const CliOptions& options_;
  const Environment& environment_;
  const Successor& successor_;
  Handover left_;  // by an earlier program
  SystemClock clock_;
  config::Config config_;
  std::optional<models::EngineChoice> engine_choice_;
  std::optional<standby::LocalFormSettings> form_settings_;  // of routing_.local_form
  Routing routing_;
  std::vector<FoundServer> found_;  // local servers that answered at start
  gateway::GatewayOptions gateway_options_;
  std::vector<std::unique_ptr<http::ListenLock>> locks_;
  std::unique_ptr<state::Ledger> ledger_;
  std::string ledger_note_;
  router::Health health_;
  std::unique_ptr<gateway::SpendGuard> spend_;
  std::unique_ptr<gateway::Tally> tally_;
  std::unique_ptr<admin::Herald> herald_;  // null = nobody wants to be told
  std::jthread earlier_today_;             // reads the ledger of today's earlier runs into tally_
  std::unique_ptr<gateway::WaitingRoom> waiting_;
  std::unique_ptr<admin::Status> status_;
  // A request that dies with its loop still tells them.
  std::unique_ptr<standby::Standby> standby_;
  std::unique_ptr<StandbyLink> standby_link_;  // null = nobody reads along
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<LocalEngine> engine_;  // before its loop's end
  std::shared_ptr<http::TlsDoor> door_;
  std::unique_ptr<boost::asio::signal_set> signals_;
  std::vector<std::string> addresses_;  // really bound
  std::atomic<int> others_{0};          // workers but the first that still run
  bool draining_ = false;
  bool restarting_ = false;  // from the signal on
  std::unique_ptr<Rehearsal> rehearsal_;
  std::vector<std::string> listen_texts_;  // of locks_ and of the server's listeners
  std::optional<Handover> handover_;
  config::Config published_;  // as loaded last: the tiers of today
  std::unique_ptr<boost::asio::steady_timer> models_timer_;
  std::string models_stamp_;
  std::unique_ptr<boost::asio::steady_timer> floors_timer_;
  std::string floors_stamp_;             // of the file when it was read last
  std::vector<work::Readiness> floors_;  // as read last without trouble
  std::jthread chooser_;                 // reads the model that has appeared; before its loop's end
};

}  // namespace nl::app
