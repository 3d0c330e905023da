// Status: the gateway's own routes: who would answer now, what is out and until when, today's sums.
//
// GET /nightlight/status answers JSON for `nightlight status` and for people, and
// /nightlight/requests/ID what a turn of our own command line has come to, for a while. Reads
// shared state only; no database, no disk. Says no key, no prompt, no client credential. Any loop
// asks it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/supervisor.h"
#include "gateway/gateway.h"
#include "standby/standby.h"

namespace nl::admin {

struct StatusParts {
  const Clock& clock;
  router::Health& health;
  gateway::SpendGuard& spend;
  gateway::Tally& tally;
  state::Ledger& ledger;
};

class Status final : public gateway::OwnRoutes {
 public:
  explicit Status(const StatusParts& parts);

  std::optional<http::Answer> answer(std::string_view path) override;
  // Before serving begins, as add_note.
  void set_listen(std::vector<std::string> listen) { listen_ = std::move(listen); }
  void set_upstreams(std::shared_ptr<const gateway::Upstreams> upstreams);
  // The engine of tier 3; outlives the serving. Before serving begins.
  void set_engine(const engine::Supervisor& engine) { engine_ = &engine; }
  // How often this process has been replaced by a newer program as planned. Before serving begins.
  void set_restarts(int done) { restarts_ = done; }
  // A restart was asked for and did not come about. Any thread.
  void refuse_restart(std::string reason);
  // What reads along, as set_engine.
  void set_standby(const standby::Standby& standby) { standby_ = &standby; }
  // A fact people should know, e.g. that a damaged ledger was put aside.
  void add_note(std::string note) { notes_.push_back(std::move(note)); }

 private:
  std::string status_json();
  std::string tiers_json(const router::Policy& policy);
  std::string restart_json() const;
  std::string engine_json(const router::Policy& policy) const;
  std::string standby_json() const;
  std::shared_ptr<const gateway::Upstreams> upstreams() const;

  StatusParts parts_;
  Instant started_;
  std::vector<std::string> listen_;
  std::vector<std::string> notes_;
  const engine::Supervisor* engine_ = nullptr;
  const standby::Standby* standby_ = nullptr;
  int restarts_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  int restarts_refused_ = 0;
  std::string refusal_;
  std::shared_ptr<const gateway::Upstreams> upstreams_;
};

}  // namespace nl::admin
