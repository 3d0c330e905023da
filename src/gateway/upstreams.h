// Upstreams: one loop's providers beside the policy that orders them.
//
// Built whole by app from one configuration and swapped whole on reload: a Turn keeps the one it
// began with. providers[i] belongs to policy.providers[i]. Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "chat/local_form.h"
#include "provider/provider.h"
#include "router/planner.h"

namespace nl::gateway {

class TurnObserver;

struct Upstreams {
  router::Policy policy;
  std::vector<std::unique_ptr<provider::Provider>> providers;
  // Requests for this machine's models pass through it; null = they go as they are.
  std::shared_ptr<chat::LocalForm> local_form;
  TurnObserver* observer = nullptr;  // null = nobody reads along; outlives the loops
};

}  // namespace nl::gateway
