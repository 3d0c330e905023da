#include "router/route.h"

namespace nl::router {

const char* name(Tier tier) {
  switch (tier) {
    case Tier::frontier:
      return "frontier";
    case Tier::router:
      return "router";
    case Tier::local:
      return "local";
  }
  return "unknown";
}

const char* name(Vendor vendor) {
  switch (vendor) {
    case Vendor::anthropic:
      return "anthropic";
    case Vendor::openai:
      return "openai";
    case Vendor::gemini:
      return "gemini";
    case Vendor::openrouter:
      return "openrouter";
    case Vendor::local:
      return "local";
    case Vendor::other:
      return "other";
  }
  return "unknown";
}

}  // namespace nl::router
