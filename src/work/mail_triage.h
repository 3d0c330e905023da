// mail-triage: a mailbox in, every mail of it once in a table, judged by a model.
//
// One question per mail, one at a time, through the endpoint. A useless answer is asked for once
// more; what then is still none leaves the mail in the table as "not judged", with the reason, and
// so does a mail that nobody could be asked about: none is lost. Of a mail only its headers stay in
// memory. Blocks; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "documents/mailbox.h"
#include "work/endpoint.h"
#include "work/mail_judgement.h"

namespace nl::work {

struct TriagedMail {
  std::size_t position = 0;  // in the box, from 1
  documents::Mail mail;      // without its text and its attachments' texts
  std::optional<MailJudgement> judgement;
  std::string not_judged;  // why; empty if it was
};

struct TriageReport {
  std::string box;  // its name, for people
  // By urgency, then by date, oldest first; those without a judgement last, in the box's order.
  std::vector<TriagedMail> mails;
  std::map<std::string, std::size_t> answered_by;  // "tier/provider/model": mails
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  double cost_usd = 0;
  std::size_t cost_unknown = 0;  // answers whose cost nobody knows
  std::string stopped;           // why the rest was not asked; empty = all were
};

struct TriageOptions {
  std::string box;    // the name of the box, for people
  std::string model;  // as in Prompt
  std::string route;  // as in Prompt
  std::string task = "mail-triage";
  MailQuestion question;
  std::function<void(const TriageReport&)> on_mail;  // after each one, in the box's order
};

// Errors: what the first question met, when nobody is there to be asked (connect, cancelled);
// io of the box before its first mail. Later ones end the asking, not the table.
Result<TriageReport> triage_mail(Asker& asker, documents::Mailbox& box,
                                 const TriageOptions& options);

}  // namespace nl::work
