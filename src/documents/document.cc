#include "documents/document.h"

#include "documents/mailbox.h"

namespace nl::documents {

const char* name(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "text";
    case Kind::markdown:
      return "markdown";
    case Kind::source:
      return "source";
    case Kind::csv:
      return "csv";
    case Kind::pdf:
      return "pdf";
    case Kind::image:
      return "image";
    case Kind::mail:
      return "mail";
  }
  return "text";
}

}  // namespace nl::documents
