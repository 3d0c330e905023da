// Cuts of text that is still escaped: a beginning, an end, or both with a note of what is missing.
//
// No cut falls inside an escape, a surrogate pair or a UTF-8 sequence, so what comes out is the
// inside of a JSON string again. Notes state sizes by the estimate alone, never by a tokenizer: the
// same text is cut to the same bytes whatever has been counted meanwhile. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nl::standby {

// At most `bytes` of the beginning or of the end; ends at a line's end where one is near.
std::string_view beginning_of(std::string_view escaped, std::size_t bytes);
std::string_view end_of(std::string_view escaped, std::size_t bytes);

struct CutSize {
  std::size_t head = 0;  // bytes
  std::size_t tail = 0;
};

// Whether cutting `escaped` to `size` saves enough to be worth the loss.
bool worth_cutting(std::string_view escaped, CutSize size);

// Its beginning, "[... N tokens left out ...]" and its end.
std::string cut_middle(std::string_view escaped, CutSize size);

// Its first sentence or two, within `bytes`.
std::string_view first_words(std::string_view escaped, std::size_t bytes);

}  // namespace nl::standby
