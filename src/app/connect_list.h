// Which clients are here and how they stand with Nightlight: `connect` without a name.
//
// Reads files of the user's and our own records; changes nothing. Main thread.
#pragma once

#include "app/cli.h"
#include "base/environment.h"
#include "clients/autostart.h"
#include "clients/record.h"

namespace nl::app {

// Where connections are recorded.
clients::RecordFolder connection_records(const Environment& environment);

// An exit status.
int list_clients(const Environment& environment, Form form);

}  // namespace nl::app
