// Mails as the text of a document: headers as lines, then the words, then what hangs on them.
//
// Any thread; blocks while mails are taken apart.
#pragma once

#include <string>

#include "base/error.h"
#include "documents/document.h"
#include "documents/mailbox.h"

namespace nl::documents {

// `mail` as text for a reader, its notes not included.
std::string mail_text(const Mail& mail);

// The mails of `bytes` as the text of `document`, up to the text's bound; notes name the mail.
Result<void> take_mails(Document& document, std::string bytes, const ReadLimits& limits);

}  // namespace nl::documents
