// Variables in a file that a shell or a service manager reads: one marked block at its end, which
// wins over what stands before it. Pure. Refuses a value that plain quotes cannot hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clients/edit.h"

namespace nl::clients {

// "export NAME=\"value\"" in the words of `format`.
std::string assignment(Format format, const Setting& setting);

// Errors: config, for a value that would need more than plain quotes.
Result<Edited> put_block(Format format, std::string_view text,
                         const std::vector<Setting>& settings);

// Lines in the block that are not ours stay, and are said.
Result<Undone> take_block(std::string_view text, const std::vector<Change>& changes);

}  // namespace nl::clients
