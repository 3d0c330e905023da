// Foreign formats: PDF and mail, read by a program of their own, `nightlight-documents`.
//
// Large libraries parse them, and their input comes from strangers. Apart from this process they
// cost it neither memory nor start-up, and a file that crashes, fills or stalls them costs a note.
// The program (src/documents/foreign/) stands beside this one or in ../lib/nightlight, gets the
// bytes through standard input, can reach no network and no file of the user (base/confinement.h),
// and has bounds on time, memory and output. What it says is not trusted either: all text is
// checked again here. Blocks; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "documents/document.h"
#include "documents/mailbox.h"

namespace nl::documents {

struct ForeignLimits {
  ReadLimits read;
  Duration time_max = std::chrono::seconds(180);
  std::size_t memory_bytes_max = std::size_t{1} << 30U;
};

struct PdfText {
  std::string text;                // a form feed between two pages
  std::vector<std::string> notes;  // pages without text, pages left out, where reading stopped
};

// Errors: unsupported (damaged beyond reading, or behind a password), io (the program is missing).
Result<PdfText> pdf_text(std::string_view bytes, const ForeignLimits& limits);

// Never fails: a mail that cannot be taken apart comes as its bytes, with a note.
Mail take_mail_apart(std::string_view bytes, const ForeignLimits& limits);

}  // namespace nl::documents
