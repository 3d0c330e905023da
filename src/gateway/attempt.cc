#include "gateway/attempt.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/anthropic.h"
#include "dialect/openai_chat.h"
#include "gateway/local_attempt.h"
#include "gateway/observed_try.h"
#include "gateway/whole.h"

namespace nl::gateway {
namespace {

// What the engine is asked for where the client states no limit.
constexpr std::int64_t kEngineAnswerTokens = 4096;

using router::CredentialSource;

// OpenRouter picks among hosts of a model; this bounds what the pick may cost. Twice the known
// price lets ordinary differences pass and stops a price jump.
std::string max_price_member(const chat::ModelFacts& facts) {
  if (!facts.price) return {};
  const double to_usd = 2.0 / 1'000'000;
  return fmt::format(R"("provider":{{"max_price":{{"prompt":{:.4g},"completion":{:.4g}}}}})",
                     static_cast<double>(facts.price->input) * to_usd,
                     static_cast<double>(facts.price->output) * to_usd);
}

bool reasons(const Turn& turn, const chat::ModelFacts& facts) {
  return turn.request.reasoning.enabled || facts.reasoning;
}

bool is_minted(const chat::Block& block) {
  const auto* thought = std::get_if<chat::Thinking>(&block);
  return thought != nullptr &&
         thought->signature.escaped.starts_with(dialect::anthropic::kMintedMark);
}

// Whether the client's own bytes may hold what its own vendor refuses: thinking that we minted, or
// a tool loop under a thinking budget, where an answer from elsewhere lacks the thought that must
// begin it.
bool needs_edits(const chat::Request& request) {
  if (request.reasoning.budget_tokens) return true;
  for (const chat::Message& message : request.messages) {
    for (const chat::Block& block : message.content) {
      if (is_minted(block)) return true;
    }
  }
  return false;
}

struct Body {
  std::string text;
  bool passed_through = false;
  chat::LocalNote note;  // of a local form
  chat::Fit fit = chat::Fit::fits;
};

bool is_slim(const Turn& turn, const router::Policy& policy, const router::Candidate& candidate) {
  return local_mode(turn.request, policy, candidate) == router::OnLocal::read_only;
}

// Whether the target gets the request's local form rather than its own bytes.
bool is_formed(const Turn& turn, const AttemptSetup& setup) {
  return !turn.direct && setup.upstreams.local_form != nullptr &&
         is_here(setup.upstreams.policy, setup.candidate);
}

// OpenRouter chooses the host; the client may have bounded that choice itself.
bool chooses_price(const Turn& turn, const provider::Provider& provider) {
  return provider.setting().openrouter && !turn.document.root()["provider"].exists();
}

Result<Body> make_body(const Turn& turn, const AttemptSetup& setup) {
  const router::Candidate& candidate = setup.candidate;
  const router::Policy& policy = setup.upstreams.policy;
  const provider::Provider& provider = *setup.upstreams.providers[candidate.target.provider];
  Body body;
  if (provider.dialect().id() == turn.dialect.id() && provider.setting().engine == nullptr &&
      !is_slim(turn, policy, candidate) && !is_formed(turn, setup)) {
    dialect::SpliceOptions options;
    options.model = candidate.target.model;
    options.marks = provider.setting().own_client_headers ? dialect::ClientMarks::keep
                                                          : dialect::ClientMarks::remove;
    if (chooses_price(turn, provider)) options.extra_members = max_price_member(candidate.facts);
    body.passed_through = true;
    options.thinking = turn.thinking;
    const bool as_it_is =
        candidate.target.model == turn.model && options.marks == dialect::ClientMarks::keep &&
        options.extra_members.empty() && options.thinking == dialect::SignedThinking::keep &&
        !needs_edits(turn.request);
    body.text =
        as_it_is ? std::string(turn.exchange.body()) : turn.dialect.splice(turn.document, options);
    return body;
  }
  Result<LocalBody> composed = composed_body(turn, setup.upstreams, candidate);
  if (!composed) return std::unexpected(std::move(composed.error()));
  body.text = std::move(composed->bytes);
  body.note = std::move(composed->note);
  body.fit = composed->fit;
  return body;
}

// Servers on this machine do not hold a call's arguments to the schema that declares them.
std::optional<ToolCheckSetup> tool_check(const Turn& turn, const AttemptSetup& setup) {
  const router::Candidate& candidate = setup.candidate;
  const router::Policy& policy = setup.upstreams.policy;
  const bool local = policy.providers[candidate.target.provider].local;
  if (turn.direct || !local || turn.request.tools.empty() || turn.format_now) return std::nullopt;
  const provider::Provider& provider = *setup.upstreams.providers[candidate.target.provider];
  const bool composed =
      provider.dialect().id() != turn.dialect.id() || provider.setting().engine != nullptr;
  for (const chat::Tool& tool : turn.request.tools) {
    // The server was told the tool as the client declared it: its calls have no known form.
    if (tool.kind != chat::ToolKind::function && !composed) return std::nullopt;
  }
  std::vector<std::string> allowed;
  if (is_slim(turn, policy, candidate)) allowed = reading_tools(turn.request);
  ToolCheckSetup check;
  check.tools = dialect::openai_chat::declared_tools(turn.request, allowed);
  check.broken = turn.asked_for_call_again ? BrokenCall::tell : BrokenCall::ask_again;
  check.held_max = setup.options.held_bytes_max;
  check.repeated = repeated_call(turn.request);
  if (turn.request.format.kind != chat::Format::text) check.words = Words::want_form;
  return check;
}

// A generous whole: ten minutes, or a token a second if more were asked for. `unsaid`: the tokens
// of a request that states no limit.
Duration total_budget(const Turn& turn, const GatewayOptions& options, std::int64_t unsaid = 0) {
  constexpr std::chrono::seconds kMost = std::chrono::hours(2);
  // As a count first: clients name numbers that no Duration holds.
  const std::int64_t tokens = turn.request.max_tokens.value_or(unsaid);
  const std::chrono::seconds by_tokens(std::clamp<std::int64_t>(tokens, 0, kMost.count()));
  return std::max<Duration>(options.total, by_tokens);
}

bool is_engine(const AttemptSetup& setup) {
  return setup.upstreams.providers[setup.candidate.target.provider]->setting().engine != nullptr;
}

std::optional<EnginePace> engine_pace(const Turn& turn, const AttemptSetup& setup) {
  if (!is_engine(setup)) return std::nullopt;
  const Duration total = total_budget(turn, setup.options, kEngineAnswerTokens);
  EnginePace pace(setup.options, total, turn.exchange.loop().now());
  if (turn.facts.images) pace.has_images();
  return pace;
}

struct Deadlines {
  Instant head;
  Instant whole;
};

Deadlines deadlines(const Turn& turn, const AttemptSetup& setup, Instant now) {
  const GatewayOptions& options = setup.options;
  const bool slow = reasons(turn, setup.candidate.facts);
  Deadlines made;
  made.whole = now + total_budget(turn, options);
  if (is_engine(setup)) {
    // It may have to start first, or be busy with somebody else's prompt.
    made.head = now + std::max(options.first_progress, options.reasoning);
    return made;
  }
  if (turn.request.stream) {
    made.head =
        now + std::max(options.first_progress, slow ? options.reasoning : options.first_progress);
  } else {
    if (setup.backup == Backup::another_target) {
      made.whole =
          now + std::max(options.whole_first, slow ? options.reasoning : options.whole_first);
    }
    made.head = made.whole;
  }
  return made;
}

RelaySetup relay_setup_of(const Turn& turn, const AttemptSetup& setup, Instant until) {
  return RelaySetup{*setup.upstreams.providers[setup.candidate.target.provider],
                    setup.options,
                    std::string(),
                    setup.candidate.target.model,
                    setup.backup,
                    reasons(turn, setup.candidate.facts),
                    until,
                    engine_pace(turn, setup),
                    tool_check(turn, setup)};
}

Answerer answerer_of(Turn& turn, const AttemptSetup& setup, const Body& body) {
  Answerer answerer = setup.answerer;
  answerer.compacted = body.note.dropped;
  turn.compacted = body.note.dropped;
  return answerer;
}

void end(AttemptResult& result, const Turn& turn, Instant started) {
  result.ended = turn.exchange.loop().now();
  result.took = result.ended - started;
}

void take_refusal(AttemptResult& result, std::unique_ptr<provider::Refusal> refusal) {
  result.error = refusal->error;
  result.refusal = std::move(refusal);
}

http::asio::awaitable<Result<void>> answer_stream(Turn& turn, ClientStream& client,
                                                  RelaySetup& setup, provider::Opening& opening,
                                                  AnswerTap& tap) {
  Relay relay(turn, client, setup);
  Result<void> relayed = co_await relay.run(opening);
  tap = relay.take_tap();
  co_return relayed;
}

http::asio::awaitable<Result<void>> answer_whole(Turn& turn, RelaySetup& setup,
                                                 provider::Opening& opening, AnswerTap& tap) {
  WholeResult whole = co_await read_whole_answer(turn, setup, opening);
  tap = std::move(whole.tap);
  if (whole.error) co_return std::unexpected(std::move(*whole.error));
  http::Answer answer;
  answer.header_lines = std::move(setup.headers);
  answer.body = std::move(whole.body);
  const Result<void> sent = co_await turn.exchange.respond(answer);
  if (!sent) turn.client_gone = true;
  co_return sent;
}

// Opens the target. A local form that turns out too long is made once more, now that the model's
// own count is known.
http::asio::awaitable<provider::Opened> open_target(Turn& turn, const AttemptSetup& setup,
                                                    provider::Try attempt, Body& body) {
  provider::Provider& provider = *setup.upstreams.providers[setup.candidate.target.provider];
  if (!is_formed(turn, setup)) co_return co_await provider.open(attempt, turn.cancel);
  for (bool again = false;; again = true) {
    if (body.fit == chat::Fit::too_large) {
      co_return std::make_unique<provider::Refusal>(too_large(setup.candidate, body.note));
    }
    attempt.body = body.text;
    provider::Opened opened = co_await provider.open(attempt, turn.cancel);
    const auto* refusal = std::get_if<std::unique_ptr<provider::Refusal>>(&opened);
    const bool told = refusal != nullptr && (*refusal)->upstream.prompt_tokens.has_value();
    if (again || !told) co_return opened;
    setup.upstreams.local_form->measured(setup.candidate.target.model, body.note.tokens_after,
                                         *(*refusal)->upstream.prompt_tokens);
    Result<Body> shorter = make_body(turn, setup);
    if (!shorter || shorter->text == body.text) co_return opened;
    body = std::move(*shorter);
  }
}

}  // namespace

Result<LocalBody> composed_body(const Turn& turn, const Upstreams& upstreams,
                                const router::Candidate& candidate) {
  const provider::Provider& provider = *upstreams.providers[candidate.target.provider];
  if (is_here(upstreams.policy, candidate)) {
    chat::LocalForm* form = turn.direct ? nullptr : upstreams.local_form.get();
    LocalBodyInput input{turn.request,
                         turn.facts.conversation,
                         turn.facts.client_agent,
                         upstreams.policy,
                         candidate,
                         provider,
                         form};
    if (turn.format_now) input.offers = Offers::format;
    return local_body(input);
  }
  dialect::EncodeOptions options =
      encode_options(turn.request, upstreams.policy, candidate, provider);
  if (chooses_price(turn, provider)) options.extra_members = max_price_member(candidate.facts);
  Result<std::string> bytes = provider.dialect().encode_request(turn.request, options);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  LocalBody body;
  body.bytes = std::move(*bytes);
  return body;
}

http::asio::awaitable<AttemptResult> run_attempt(Turn& turn, ClientStream& client,
                                                 const AttemptSetup& setup) {
  AttemptResult result;
  const Instant started = turn.exchange.loop().now();
  const router::Candidate& candidate = setup.candidate;
  provider::Provider& provider = *setup.upstreams.providers[candidate.target.provider];
  result.ended = started;
  const bool formed = is_formed(turn, setup);
  ObservedTry observed(turn, setup);
  if (turn.observer != nullptr) co_await observed.begin();
  if (formed) co_await count_texts(turn, setup.upstreams, candidate);
  Result<Body> body = make_body(turn, setup);
  if (!body) {
    result.error = std::move(body.error());
    co_return result;
  }
  result.translated = !body->passed_through;
  const bool own_vendor = body->passed_through && provider.setting().own_client_headers;
  const Deadlines until = deadlines(turn, setup, started);
  provider::Try attempt;
  attempt.client.head = &turn.exchange.head();
  attempt.client.pass_headers = own_vendor;
  attempt.client.pass_credential =
      candidate.credential == CredentialSource::client && !is_engine(setup);
  attempt.stream = turn.request.stream || is_engine(setup);
  attempt.head_until = until.head;
  attempt.body = body->text;
  provider::Opened opened = co_await open_target(turn, setup, attempt, *body);
  tell_form(turn, candidate, body->note);
  if (auto* refusal = std::get_if<std::unique_ptr<provider::Refusal>>(&opened)) {
    if (is_engine(setup) && (*refusal)->error.code == ErrorCode::timeout) {
      provider.setting().engine->report_stall();
    }
    take_refusal(result, std::move(*refusal));
    end(result, turn, started);
    co_return result;
  }
  provider::Opening& opening = std::get<provider::Opening>(opened);
  body->text = std::string();  // the upstream has it; the answer may take long
  result.vendor_headers = provider::informative_headers(opening.call->head().headers);
  if (own_vendor && !attempt.client.pass_credential) {
    for (auto& [name, value] : result.vendor_headers) {
      provider.hide_credentials(value, attempt.client);
    }
  }
  RelaySetup relay_setup = relay_setup_of(turn, setup, until.whole);
  relay_setup.headers = answer_lines(turn, answerer_of(turn, setup, *body),
                                     own_vendor ? result.vendor_headers : HeaderList());
  Result<void> answered;
  if (turn.request.stream) {
    answered = co_await answer_stream(turn, client, relay_setup, opening, result.tap);
  } else {
    answered = co_await answer_whole(turn, relay_setup, opening, result.tap);
  }
  if (!answered) result.error = std::move(answered.error());
  if (result.tap.error_type == kBrokenCall) turn.asked_for_call_again = true;
  if (result.tap.error_type == kFormWanted) turn.format_now = true;
  if (result.error) {
    provider.hide_credentials(result.error->message, attempt.client);
    provider.hide_credentials(result.tap.error_type, attempt.client);
  }
  // What the model counted is told where it was more than stated. What an image takes says nothing
  // of texts.
  if (formed && !turn.facts.images) {
    setup.upstreams.local_form->measured(candidate.target.model, body->note.tokens_after,
                                         result.tap.usage.input_total());
  }
  end(result, turn, started);
  co_return result;
}

router::Seen seen_of(const router::Candidate& candidate, const router::ProviderFacts& facts,
                     const AttemptResult& result) {
  router::Seen seen;
  seen.vendor = facts.vendor;
  seen.local = facts.local;
  seen.client_credential = candidate.credential == CredentialSource::client;
  seen.translated = result.translated;
  if (result.error) {
    seen.code = result.error->code;
    seen.status = result.error->status;
    seen.message = result.error->message;
    seen.type = result.tap.error_type;
    if (result.tap.error_status != 0) seen.status = result.tap.error_status;
  }
  if (result.refusal) {
    const provider::Refusal& refusal = *result.refusal;
    seen.type = refusal.upstream.type;
    seen.error_code = refusal.upstream.code;
    if (!refusal.upstream.message.empty()) seen.message = refusal.upstream.message;
    seen.limit_source = refusal.upstream.source;
    seen.resets_in_s = refusal.upstream.resets_in_s;
    for (const auto& [name, value] : refusal.headers) seen.headers.emplace_back(name, value);
  } else {
    for (const auto& [name, value] : result.vendor_headers) seen.headers.emplace_back(name, value);
  }
  return seen;
}

}  // namespace nl::gateway
