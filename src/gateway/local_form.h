// The body for a target on this machine: the request's local form, encoded.
//
// One renderer: the attempt at a local target and the mirror that warms it both call local_body(),
// so that their bytes agree. Without a LocalForm the request is encoded as it is. Any thread; views
// in the input live for the call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "chat/local_form.h"
#include "dialect/dialect.h"
#include "provider/provider.h"
#include "router/planner.h"

namespace nl::gateway {

// A request with tools and a wanted format is put to a local server in two steps, which ignores one
// of them: first the tools, then, for an answer in words, the format.
enum class Offers : std::uint8_t { tools, format };

struct LocalBodyInput {
  const chat::Request& request;
  std::uint64_t conversation = 0;  // RequestFacts::conversation
  std::string_view client_agent;   // RequestFacts::client_agent
  const router::Policy& policy;
  const router::Candidate& candidate;
  const provider::Provider& provider;
  chat::LocalForm* form = nullptr;  // null = as it is
  Offers offers = Offers::tools;
  dialect::Purpose purpose = dialect::Purpose::answer;
};

struct LocalBody {
  std::string bytes;
  chat::LocalNote note;
  chat::Fit fit = chat::Fit::fits;
};

// Errors: what encode_request says.
Result<LocalBody> local_body(const LocalBodyInput& input);

// The target as a LocalForm takes it.
chat::LocalTarget local_target(const chat::Request& request, const router::Policy& policy,
                               const router::Candidate& candidate,
                               const provider::Provider& provider);

// Whether the candidate's model runs on this machine.
bool is_here(const router::Policy& policy, const router::Candidate& candidate);

// What is asked of a target for `request` by its facts and the policy.
dialect::EncodeOptions encode_options(const chat::Request& request, const router::Policy& policy,
                                      const router::Candidate& candidate,
                                      const provider::Provider& provider);

}  // namespace nl::gateway
