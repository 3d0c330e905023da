#include "gateway/local_form.h"

#include <algorithm>

#include "gateway/attempt.h"

namespace nl::gateway {
namespace {

// Where the client asks for its largest answer, as coding agents do, that is no wish: so much of a
// window is kept free at most.
constexpr std::int64_t kReplyTokensMax = 4096;

// By the engine's own word where it has said it: a file beside the model is no proof.
provider::Senses senses_of(const router::Candidate& candidate, const provider::Provider& provider) {
  const provider::Readiness* engine = provider.setting().engine;
  const std::optional<provider::Senses> said = engine == nullptr ? std::nullopt : engine->senses();
  return said.value_or(provider::Senses{candidate.facts.images, false});
}

}  // namespace

bool is_here(const router::Policy& policy, const router::Candidate& candidate) {
  return policy.providers[candidate.target.provider].local ||
         candidate.target.tier == router::Tier::local;
}

chat::LocalTarget local_target(const chat::Request& request, const router::Policy& policy,
                               const router::Candidate& candidate,
                               const provider::Provider& provider) {
  chat::LocalTarget target;
  target.model = candidate.target.model;
  target.window_tokens = candidate.facts.context_tokens.value_or(0);
  const std::int64_t asked = request.max_tokens.value_or(kReplyTokensMax);
  target.reply_tokens = std::min({asked, kReplyTokensMax, target.window_tokens / 8});
  const provider::Senses senses = senses_of(candidate, provider);
  target.images = senses.images;
  target.sound = senses.sound;
  if (local_mode(request, policy, candidate) == router::OnLocal::read_only) {
    target.tools_allowed = reading_tools(request);
  }
  return target;
}

dialect::EncodeOptions encode_options(const chat::Request& request, const router::Policy& policy,
                                      const router::Candidate& candidate,
                                      const provider::Provider& provider) {
  dialect::EncodeOptions options;
  options.model = candidate.target.model;
  options.max_tokens_cap = candidate.facts.output_tokens_max;
  options.drop_sampling = candidate.facts.fixed_sampling;
  options.reasoning = candidate.facts.reasoning;
  const provider::Senses senses = senses_of(candidate, provider);
  options.images = senses.images;
  options.sound = senses.sound;
  options.context_tokens = candidate.facts.context_tokens;
  options.max_completion_tokens =
      policy.providers[candidate.target.provider].vendor == router::Vendor::openai;
  if (provider.setting().engine != nullptr) options.server = dialect::Server::llama_server;
  if (local_mode(request, policy, candidate) == router::OnLocal::read_only) {
    options.tools_allowed = reading_tools(request);
  }
  return options;
}

Result<LocalBody> local_body(const LocalBodyInput& input) {
  if (input.offers == Offers::format && !input.request.tools.empty()) {
    chat::Request without = input.request;
    without.tools.clear();
    without.tool_choice = chat::ToolChoice::unset;
    return local_body({without, input.conversation, input.client_agent, input.policy,
                       input.candidate, input.provider, input.form, input.offers});
  }
  // What may be asked of it is decided by the request as it came.
  dialect::EncodeOptions options =
      encode_options(input.request, input.policy, input.candidate, input.provider);
  options.purpose = input.purpose;
  const dialect::Dialect& dialect = input.provider.dialect();
  LocalBody body;
  if (input.form == nullptr) {
    Result<std::string> bytes = dialect.encode_request(input.request, options);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    body.bytes = std::move(*bytes);
    return body;
  }
  const chat::LocalTarget target =
      local_target(input.request, input.policy, input.candidate, input.provider);
  chat::FormedRequest formed =
      input.form->form({input.request, input.conversation, input.client_agent, target});
  Result<std::string> bytes = dialect.encode_request(formed.request, options);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  body.bytes = std::move(*bytes);
  body.note = std::move(formed.note);
  body.fit = formed.fit;
  return body;
}

}  // namespace nl::gateway
