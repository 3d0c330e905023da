// HTML as the text that a person would read.
//
// Scripts, styles and hidden parts go, so that what a reader does not see a model does not get
// either; links keep their address, pictures their description. Nothing is fetched or run. Linear
// in its input, whatever that is; takes and gives valid UTF-8. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace nl::documents {

std::string html_to_text(std::string_view html);

}  // namespace nl::documents
