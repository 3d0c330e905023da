// What a run of tasks needs of this machine: the gateway to ask, the ledger for its figures, and
// where the answers come from today.
//
// Blocking, for the command line only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli.h"
#include "base/error.h"
#include "config/config.h"
#include "router/planner.h"
#include "work/endpoint.h"
#include "work/task_asking.h"
#include "work/task_store.h"

namespace nl::app {

// Where requests for this task go today, without what is on this machine, in the words of
// x-nightlight-route: the clouds of its label's targets and of its model's route, else the tiers'.
std::string todays_cloud(const router::Policy& policy, const work::Task& task);

// The ledger's record of a request as a run keeps it. It is waited for: a request that has just
// ended is written within a second. Errors: of state::LedgerReader::request().
Result<work::Figures> ledger_figures(const std::string& ledger_path, const std::string& id);

// The gateway behind a run: an Endpoint, and what TaskAsking wants of it.
class TaskGateway {
 public:
  // Starts a gateway where none runs. Errors: of reach_gateway().
  static Result<TaskGateway> reach(const CliOptions& options, const config::Config& config);

  work::AskingParts parts() const;

 private:
  TaskGateway(std::unique_ptr<work::Endpoint> endpoint, std::string ledger)
      : endpoint_(std::move(endpoint)), ledger_(std::move(ledger)) {}

  std::unique_ptr<work::Endpoint> endpoint_;
  std::string ledger_;
};

}  // namespace nl::app
