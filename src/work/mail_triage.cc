#include "work/mail_triage.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "documents/text_encoding.h"

namespace nl::work {
namespace {

constexpr int kTries = 2;
// So many mails in a row that nobody answered, and the rest is not asked about.
constexpr std::size_t kFailuresMax = 5;
constexpr std::size_t kReasonBytesMax = 300;
constexpr std::size_t kBoxBytesMax = 4096;

std::string reason_of(const Error& error) {
  return documents::one_line(error.message, kReasonBytesMax);
}

void keep_headers(documents::Mail& mail) {
  mail.text = std::string();
  for (documents::Attachment& each : mail.attachments) each.text = std::string();
}

void count(const Reply& reply, TriageReport& report) {
  report.input_tokens += reply.input_tokens;
  report.output_tokens += reply.output_tokens;
  report.cost_usd += reply.cost_usd.value_or(0);
  if (!reply.cost_usd) ++report.cost_unknown;
}

std::string answerer(const Reply& reply) {
  return documents::one_line(fmt::format("{}/{}/{}", reply.tier, reply.provider, reply.model), 200);
}

// Judged mails by urgency and date, then the others.
auto place(const TriagedMail& each) {
  const auto urgency = static_cast<int>(each.judgement ? each.judgement->urgency : Urgency::none);
  const bool judged = each.judgement.has_value();
  return std::tuple(judged ? 0 : 1, judged ? urgency : 0, judged && each.mail.date.empty() ? 1 : 0,
                    judged ? each.mail.date : std::string(), each.position);
}

class Triage {
 public:
  Triage(Asker& asker, const TriageOptions& options) : asker_(asker), options_(options) {
    report_.box = documents::one_line(options.box, kBoxBytesMax);
  }

  Result<void> take(documents::Mail mail) {
    TriagedMail triaged;
    triaged.position = report_.mails.size() + 1;
    if (report_.stopped.empty()) {
      if (auto asked = ask_about(mail, triaged); !asked) return asked;
    } else {
      triaged.not_judged = "not asked: " + report_.stopped;
    }
    keep_headers(mail);
    triaged.mail = std::move(mail);
    report_.mails.push_back(std::move(triaged));
    if (options_.on_mail) options_.on_mail(report_);
    return {};
  }

  // The box can be read no further; false when nothing was read before.
  bool stop(const Error& error) {
    report_.stopped = "the mailbox broke off: " + reason_of(error);
    return !report_.mails.empty();
  }

  TriageReport take_report() {
    std::ranges::stable_sort(report_.mails, {}, [](const auto& each) { return place(each); });
    return std::move(report_);
  }

 private:
  Result<void> ask_about(const documents::Mail& mail, TriagedMail& triaged) {
    std::string mistake;
    for (int tries = 0; tries < kTries; ++tries) {
      Prompt prompt = mail_prompt(mail, options_.question, mistake);
      prompt.model = options_.model;
      prompt.route = options_.route;
      prompt.task = options_.task;
      const Result<Reply> reply = asker_.answer(prompt, OnText());
      if (!reply) return unanswered(reply.error(), triaged);
      failures_ = 0;
      count(*reply, report_);
      Result<MailJudgement> judgement = read_judgement(reply->text);
      if (judgement) {
        triaged.judgement = *std::move(judgement);
        ++report_.answered_by[answerer(*reply)];
        return {};
      }
      mistake = judgement.error().message;
      if (reply->stop_reason == "refusal") mistake = "the model refused to answer";
      if (reply->stop_reason == "max_tokens") mistake += ", and the answer was cut off";
    }
    triaged.not_judged = fmt::format("no usable answer in {} tries: {}", kTries,
                                     documents::one_line(mistake, kReasonBytesMax));
    return {};
  }

  Result<void> unanswered(const Error& error, TriagedMail& triaged) {
    const bool nobody = error.code == ErrorCode::connect || error.code == ErrorCode::cancelled;
    if (nobody && triaged.position == 1) return std::unexpected(error);
    triaged.not_judged = reason_of(error);
    if (nobody) {
      report_.stopped = reason_of(error);
    } else if (++failures_ == kFailuresMax) {
      report_.stopped =
          fmt::format("{} mails in a row got no answer: {}", kFailuresMax, reason_of(error));
    }
    return {};
  }

  Asker& asker_;
  const TriageOptions& options_;
  TriageReport report_;
  std::size_t failures_ = 0;
};

}  // namespace

Result<TriageReport> triage_mail(Asker& asker, documents::Mailbox& box,
                                 const TriageOptions& options) {
  Triage triage(asker, options);
  while (true) {
    auto mail = box.next();
    // What was judged before the box broke off stays.
    if (!mail && triage.stop(mail.error())) return triage.take_report();
    if (!mail) return std::unexpected(mail.error());
    if (!*mail) return triage.take_report();
    if (auto taken = triage.take(**std::move(mail)); !taken) {
      return std::unexpected(taken.error());
    }
  }
}

}  // namespace nl::work
