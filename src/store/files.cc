#include "store/files.h"

#include <absl/strings/escaping.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "resource/read.h"

namespace sluice::store {

namespace {

constexpr unsigned kFolderDepthMax = 16;            // a loop of symbolic links ends here
constexpr std::size_t kFoldersMax = 100'000;        // each is one inotify watch
constexpr std::size_t kSecretBytesMax = 1U << 20U;  // Kubernetes' own limit for a Secret

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Result<void> list_into(const std::string& folder, unsigned depth, Listing& listing) {
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr)
    return fail(Blame::kConfig, fmt::format("can't be listed: {}", std::strerror(errno)), folder);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory)) names.emplace_back(entry->d_name);
  closedir(directory);
  std::sort(names.begin(), names.end());
  listing.folders.push_back(folder);
  if (listing.folders.size() > kFoldersMax) {
    return fail(Blame::kConfig, fmt::format("has more than {} sub-folders", kFoldersMax), folder);
  }
  if (exists(folder + "/tls.crt") && exists(folder + "/tls.key"))
    listing.secret_folders.push_back(folder);
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    const std::string path = folder + "/" + name;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) continue;  // gone since, or a dangling link
    if (S_ISDIR(status.st_mode)) {
      if (depth < kFolderDepthMax) {
        if (auto listed = list_into(path, depth + 1, listing); !listed) return listed;
      }
    } else if (is_document_file(path)) {
      listing.documents.push_back(path);
    }
  }
  return {};
}

resource::Diagnostic unreadable(const std::string& path, const Error& error) {
  resource::Diagnostic diagnostic;
  diagnostic.code = "unreadable";
  diagnostic.file = path;
  diagnostic.what = error.what;
  diagnostic.hint = "check the path and its permissions";
  return diagnostic;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    return fail(Blame::kConfig, fmt::format("can't be opened: {}", std::strerror(errno)), path);
  std::string text;
  char buffer[1U << 16U];
  for (;;) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail(Blame::kConfig, fmt::format("can't be read: {}", std::strerror(errno)), path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > bytes_max)
      return fail(Blame::kConfig, fmt::format("has more than {} bytes", bytes_max), path);
  }
}

bool is_document_name(std::string_view file_name) {
  return !file_name.starts_with('.') &&
         (file_name.ends_with(".yaml") || file_name.ends_with(".yml") ||
          file_name.ends_with(".json"));
}

bool is_document_file(const std::string& path) {
  constexpr std::size_t kHeadBytes = 64U
                                     << 10U;  // kubectl and every printer write apiVersion first
  if (!is_document_name(path.substr(path.find_last_of('/') + 1))) return false;
  if (!path.ends_with(".json")) return true;
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return true;  // reported when it is read
  std::string head(kHeadBytes, '\0');
  const ssize_t got = read(file.get(), head.data(), head.size());
  return got > 0 &&
         std::string_view(head.data(), static_cast<std::size_t>(got)).find("\"apiVersion\"") !=
             std::string_view::npos;
}

Result<Listing> list_folder(const std::string& folder) {
  Listing listing;
  SLUICE_CHECK(list_into(folder, 0, listing));
  return listing;
}

Result<resource::Object> read_secret_folder(const std::string& folder,
                                            std::string_view secret_namespace) {
  resource::Map data;
  for (const char* name : {"tls.crt", "tls.key", "ca.crt"}) {
    const std::string path = folder + "/" + name;
    if (!exists(path) && std::string_view(name) == "ca.crt") continue;
    SLUICE_TRY(const std::string text, read_file(path, kSecretBytesMax));
    data.set(name, absl::Base64Escape(text));
  }
  resource::Object secret;
  secret.api_version = "v1";
  secret.kind = "Secret";
  secret.namespace_ = secret_namespace;
  secret.name = folder.substr(folder.find_last_of('/') + 1);
  secret.file = std::make_shared<const std::string>(folder + "/tls.crt");
  secret.root = resource::Map{
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata", resource::Map{{"name", secret.name}, {"namespace", secret.namespace_}}},
      {"type", "kubernetes.io/tls"},
      {"data", std::move(data)},
  };
  return secret;
}

Documents read_documents(const std::vector<std::string>& paths, std::string_view secret_namespace) {
  Documents documents;
  const auto read_one = [&](const std::string& path) {
    auto text = read_file(path, limits::kDocumentBytesMax);
    if (!text) {
      documents.diagnostics.push_back(unreadable(path, text.error()));
      return;
    }
    resource::ReadResult result = resource::read(*text, std::make_shared<const std::string>(path));
    std::move(result.objects.begin(), result.objects.end(), std::back_inserter(documents.objects));
    std::move(result.diagnostics.begin(), result.diagnostics.end(),
              std::back_inserter(documents.diagnostics));
  };
  for (const std::string& path : paths) {
    struct stat status{};
    if (path == "-" || (stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))) {
      read_one(path);
      continue;
    }
    auto listing = list_folder(path);
    if (!listing) {
      documents.diagnostics.push_back(unreadable(path, listing.error()));
      continue;
    }
    for (const std::string& document : listing->documents) read_one(document);
    for (const std::string& folder : listing->secret_folders) {
      auto secret = read_secret_folder(folder, secret_namespace);
      if (secret) {
        documents.objects.push_back(std::move(*secret));
      } else {
        documents.diagnostics.push_back(unreadable(folder, secret.error()));
      }
    }
  }
  return documents;
}

}  // namespace sluice::store
