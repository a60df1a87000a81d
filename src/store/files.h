// Reading files and folders of documents: the I/O below `sluice validate` as well as `sluice
// serve`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resource/object.h"

namespace sluice::store {

// The whole file; "-" is standard input. Fails when it can't be read or has more than `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// "a.yaml", "a.yml", "a.json"; not hidden ones, nor editors' leftovers.
bool is_document_name(std::string_view file_name);
// In a folder, JSON without "apiVersion" near its beginning is something else: a model, recorded
// data. YAML always counts, so that a forgotten apiVersion is reported.
bool is_document_file(const std::string& path);

// What a folder holds, sub-folders included, sorted: documents, and folders with tls.crt and
// tls.key in them.
struct Listing {
  std::vector<std::string> documents;
  std::vector<std::string> secret_folders;
  std::vector<std::string> folders;  // all of them, the given one too
};
Result<Listing> list_folder(const std::string& folder);

// A folder with `tls.crt` and `tls.key` (and perhaps `ca.crt`) is a Secret named for it, in the
// gateway's namespace.
Result<resource::Object> read_secret_folder(const std::string& folder,
                                            std::string_view secret_namespace);

struct Documents {
  std::vector<resource::Object> objects;
  resource::Diagnostics diagnostics;
};
// Every path read: files, folders, "-". A path that can't be read is a diagnostic.
Documents read_documents(const std::vector<std::string>& paths, std::string_view secret_namespace);

}  // namespace sluice::store
