// How verbs print, and how they end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resource/diagnostic.h"
#include "resource/value.h"

namespace sluice::cli {

// Documented in docs/reference/cli.md; scripts may rely on them.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;  // the input was refused, or the request finds no route
inline constexpr int kExitUsage = 2;     // the command line itself is wrong
inline constexpr int kExitFailure = 3;   // a file can't be read, a port can't be bound, ...

enum class Format { kTable, kYaml, kJson };
// "table", "yaml", "json".
bool parse_format(std::string_view text, Format& format);

// Standard output, all of it or exit code 3 (a full disk, a closed pipe).
bool print(std::string_view text);
bool print(const resource::Value& value, Format format);  // kYaml or kJson

// Columns padded to their widest cell; the last one is not padded. Header in capitals.
std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows);

// Says it on standard error; kExitFailure.
int fail_with(const Error& error);
// On standard error, coloured only when that is a terminal and NO_COLOR is not set.
void print_diagnostics(const resource::Diagnostics& diagnostics);
resource::Value to_value(const resource::Diagnostics& diagnostics);

}  // namespace sluice::cli
