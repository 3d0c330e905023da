// TokenCounts: how many tokens a text is: by the model's tokenizer where it was asked, else an
// estimate on the safe side.
//
// Exact counts come in under a text's key (text_key) and are kept for the model, at most kKept of
// them. A target that counts more for a whole prompt than was stated makes this model's estimates
// larger. Texts are the inside of JSON strings. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace nl::standby {

// By the shape of the text: words in pieces of five letters, digits and signs one by one.
std::int64_t estimated_tokens(std::string_view escaped);

std::uint64_t text_key(std::string_view escaped);

class TokenCounts {
 public:
  static constexpr std::size_t kKept = 1 << 16;
  static constexpr double kFactorMax = 8;
  // So little more is what templates add, and of a prompt so short the template is too large a
  // part; a count so many times the stated one is of something else.
  static constexpr std::int64_t kShort = 1024;
  static constexpr double kIgnored = 1.04;
  static constexpr double kBelieved = 4;

  struct Count {
    std::int64_t tokens = 0;
    bool exact = false;
  };
  Count of(std::string_view escaped) const;
  void learn(std::uint64_t key, std::int64_t tokens);
  // A prompt that was stated as `stated` tokens really is `counted`.
  void correct(std::int64_t stated, std::int64_t counted);

 private:
  std::unordered_map<std::uint64_t, std::int64_t> known_;
  double factor_ = 1;
};

}  // namespace nl::standby
