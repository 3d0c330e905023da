// One mail taken apart by GMime: headers, words, attachments.
//
// Runs in the reading program only. Prefers plain text and takes HTML as a reader would see it.
// Nothing is fetched, decrypted or verified. One thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace nl::documents::foreign {

// Writes the records of the mail `bytes` to standard output, at most `text_bytes_max` of text in
// all. False when it could not be written.
bool say_mail(std::string_view bytes, std::size_t text_bytes_max);

}  // namespace nl::documents::foreign
