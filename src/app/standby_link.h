// StandbyLink: what the gateway shows its observer, handed to warm standby.
//
// Copies what standby keeps, for turns that its target would be asked on this machine; everything
// else passes unseen. On every worker's loop at once; outlives them. Standby renders what it reads
// ahead by the gateway's own local_body(), as the real request is.
#pragma once

#include <memory>
#include <optional>

#include "app/policy.h"
#include "config/config.h"
#include "gateway/turn_observer.h"
#include "standby/standby.h"

namespace nl::app {

class StandbyLink final : public gateway::TurnObserver {
 public:
  explicit StandbyLink(standby::Standby& standby) : standby_(standby) {}

  void began(const gateway::SeenTurn& turn) override;
  void answered(const gateway::SeenTurn& turn, gateway::SeenAnswer answer) override;
  http::asio::awaitable<void> make_way(http::Loop& caller, std::uint64_t conversation) override {
    return standby_.make_way(caller, conversation);
  }
  void local_ended() override { standby_.local_ended(); }

 private:
  bool is_mine(const gateway::SeenTurn& turn) const;

  standby::Standby& standby_;
};

// The server on this machine that standby is to keep warm: the first of the local tier that can
// read ahead; nothing where there is none. The self-test model is none unless it was asked for. Its
// supervisor is left out.
std::optional<standby::Target> standby_target(const Routing& routing);

standby::StandbyOptions standby_options(const config::StandbyConfig& config);

}  // namespace nl::app
