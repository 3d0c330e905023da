#include "http/body.h"

#include <algorithm>

namespace nl::http {

Result<Decoded> BodyReader::decode(std::span<char> bytes) {
  Decoded found;
  switch (framing_) {
    case Framing::none:
      return found;
    case Framing::chunked:
      return chunks_.decode(bytes);
    case Framing::until_close:
      found.data = found.consumed = bytes.size();
      return found;
    case Framing::length:
      found.data = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      found.consumed = found.data;
      left_ -= found.data;
      return found;
  }
  return found;
}

bool BodyReader::complete() const {
  switch (framing_) {
    case Framing::none:
      return true;
    case Framing::chunked:
      return chunks_.complete();
    case Framing::until_close:
      return ended_;
    case Framing::length:
      return left_ == 0;
  }
  return false;
}

Result<void> BodyReader::end() {
  if (framing_ == Framing::until_close) ended_ = true;
  if (complete()) return {};
  return fail(ErrorCode::truncated, "stream ended inside a body");
}

}  // namespace nl::http
