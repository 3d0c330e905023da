// DrillStage: what a drill plays on: a temporary home, the two scripted clouds, and the real
// gateway as a child with a configuration, a port and a ledger of its own.
//
// Nothing of the user's is read or changed: children get an environment without keys and proxies.
// Destroying the stage ends the children and removes the home. Main thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/process_child.h"
#include "drill/clouds.h"
#include "http/client.h"
#include "state/ledger.h"

namespace nl::drill {

class DrillStage {
 public:
  // Errors: io (with what to do), when there is no loopback, no room or the gateway does not come
  // up.
  static Result<std::unique_ptr<DrillStage>> build(const Environment& environment,
                                                   const DrillPace& pace);
  ~DrillStage();
  DrillStage(const DrillStage&) = delete;
  DrillStage& operator=(const DrillStage&) = delete;

  DrillClouds& clouds() { return clouds_; }
  const std::string& folder() const { return folder_; }
  const http::Endpoint& gateway() const { return gateway_; }
  std::string base_url() const { return "http://" + gateway_.authority(); }
  std::string ledger_path() const;
  bool gateway_runs() { return child_ && !child_->poll(); }
  // Ends the gateway in order, so that its ledger is complete. Its exit status.
  int stop_gateway();
  // The end of what the gateway has printed.
  std::string gateway_log() const;
  // The environment of a child whose home is `home`, a folder of the stage.
  std::vector<std::string> environment_of(const std::string& home) const;

 private:
  DrillStage(const Environment& environment, const DrillPace& pace)
      : environment_(environment), clouds_(pace) {}
  Result<void> make_folder();
  Result<void> start_gateway();

  const Environment& environment_;
  std::string folder_;
  DrillClouds clouds_;
  std::optional<Child> child_;
  http::Endpoint gateway_;
};

}  // namespace nl::drill
