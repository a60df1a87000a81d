#include "store/file_source.h"

#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "base/log.h"
#include "resource/check.h"
#include "resource/read.h"
#include "store/files.h"

namespace sluice::store {

namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                  IN_CREATE | IN_DELETE_SELF | IN_ATTRIB;

std::string signature_of(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return {};
  return fmt::format("{}:{}:{}:{}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::string folder_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

resource::Diagnostic twice(const resource::Object& object, const resource::Object& first) {
  const std::string where = first.file == nullptr
                                ? std::string("elsewhere")
                                : fmt::format("{}:{}", *first.file, first.root.place.line);
  return resource::about(object, object.root, "", resource::Severity::kError, "duplicate-object",
                         "the same object is given at " + where + ", which is the one in force",
                         "remove one of the two, or give it another name");
}

}  // namespace

FileSource::FileSource(net::Loop& loop, Store& store, Options options)
    : loop_(loop), store_(store), options_(std::move(options)) {}

FileSource::~FileSource() {
  watch_.stop();
  if (inotify_fd_ >= 0) close(inotify_fd_);
}

Result<void> FileSource::start() {
  inotify_fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_fd_ < 0) {
    return fail(Blame::kConfig,
                fmt::format("files can't be watched: {}; raise fs.inotify.max_user_instances",
                            std::strerror(errno)));
  }
  watch_.start(
      loop_, inotify_fd_, net::kReadable,
      [](void* self, std::uint32_t) { static_cast<FileSource*>(self)->on_events(); }, this);
  for (const std::string& path : options_.paths) SLUICE_CHECK(add_path(path));
  return {};
}

Result<void> FileSource::add_path(const std::string& given) {
  std::string path = given;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path == "-") {
    load(path);
    return {};
  }
  if (signature_of(path).empty()) {
    return fail(Blame::kConfig, fmt::format("is not there: {}", std::strerror(errno)), path);
  }
  if (is_folder(path)) {
    whole_folders_.insert(path);
    add_folder(path);
    return {};
  }
  single_files_.insert(path);
  const std::string folder = folder_of(path);
  if (!watch_of_folder_.contains(folder)) {
    const int watch = inotify_add_watch(inotify_fd_, folder.c_str(), kEvents);
    if (watch >= 0) {
      folder_of_watch_[watch] = folder;
      watch_of_folder_[folder] = watch;
    }
  }
  load(path);
  return {};
}

void FileSource::add_folder(const std::string& folder) {
  auto listing = list_folder(folder);
  if (!listing) {
    log::error("folder can't be read", {{"folder", folder}, {"error", to_string(listing.error())}});
    return;
  }
  for (const std::string& each : listing->folders) {
    // Watched before it is listed again below, so that nothing that comes in between is missed.
    const int watch = inotify_add_watch(inotify_fd_, each.c_str(), kEvents);
    if (watch < 0) {
      log::error(
          "folder can't be watched; raise fs.inotify.max_user_watches, or send SIGHUP after "
          "changes",
          {{"folder", each}, {"error", std::strerror(errno)}});
      continue;
    }
    folder_of_watch_[watch] = each;
    watch_of_folder_[each] = watch;
  }
  if (auto again = list_folder(folder); again) listing = std::move(again);
  for (const std::string& document : listing->documents) load(document);
  for (const std::string& secret : listing->secret_folders) load_secret(secret);
}

void FileSource::rescan() {
  for (const std::string& folder : whole_folders_) add_folder(folder);
  std::vector<std::string> known;
  for (const auto& [path, file] : files_) known.push_back(path);
  for (const std::string& path : known) {
    if (path == "-") continue;
    is_folder(path) ? load_secret(path) : load(path);
  }
}

void FileSource::load(const std::string& path) {
  std::string signature = path == "-" ? "-" : signature_of(path);
  if (path != "-" && !single_files_.contains(path) && !is_document_file(path))
    signature.clear();  // as good as gone
  const auto known = files_.find(path);
  if (known != files_.end() && known->second.signature == signature && !signature.empty()) return;
  if (signature.empty()) {
    if (known == files_.end()) return;
    take(path, {}, {});
    files_.erase(path);
    return;
  }
  File& file = files_[path];
  file.signature = signature;
  auto text = read_file(path, limits::kDocumentBytesMax);
  if (!text) {
    if (signature_of(path).empty()) {
      load(path);  // gone between the two calls
      return;
    }
    resource::Diagnostic diagnostic;
    diagnostic.code = "unreadable";
    diagnostic.file = path;
    diagnostic.what = text.error().what;
    diagnostic.hint = "its last good state keeps serving";
    file.signature.clear();  // tried again at the next event
    options_.report(path, {diagnostic});
    return;
  }
  resource::ReadResult result = resource::read(*text, std::make_shared<const std::string>(path));
  resource::Diagnostics diagnostics = std::move(result.diagnostics);
  Accepted accepted;
  // A document that nobody can name may be any of those that this file gave before: all of them
  // stay.
  if (!result.complete) accepted = file.accepted;
  for (const resource::ObjectKey& key : result.refused) {
    if (const auto last = file.accepted.find(key); last != file.accepted.end())
      accepted[key] = last->second;
  }
  // The same object twice, kinds that nobody here knows: said once for the file.
  resource::Diagnostics of_set = resource::check_set(result.objects);
  std::move(of_set.begin(), of_set.end(), std::back_inserter(diagnostics));
  std::set<resource::ObjectKey> seen;
  for (resource::Object& object : result.objects) {
    const resource::ObjectKey key = object.key();
    if (!seen.insert(key).second) continue;  // check_set has said so
    resource::Diagnostics found = options_.admit ? options_.admit(object) : resource::Diagnostics();
    const bool refused = resource::has_errors(found);
    std::move(found.begin(), found.end(), std::back_inserter(diagnostics));
    if (!refused) {
      accepted[key] = std::make_shared<const resource::Object>(std::move(object));
    } else if (const auto last = file.accepted.find(key); last != file.accepted.end()) {
      accepted[key] = last->second;
    } else {
      seen.erase(key);  // a second one of that name may be better
    }
  }
  resource::deduplicate(diagnostics);
  take(path, std::move(accepted), diagnostics);
}

void FileSource::load_secret(const std::string& folder) {
  const std::string signature = signature_of(folder + "/tls.crt") + "|" +
                                signature_of(folder + "/tls.key") + "|" +
                                signature_of(folder + "/ca.crt");
  const auto known = files_.find(folder);
  if (known != files_.end() && known->second.signature == signature) return;
  // While a pair is being replaced one half may be missing for a moment: the last good pair stays
  // until the folder itself is gone.
  auto secret = read_secret_folder(folder, options_.secret_namespace);
  if (!secret) {
    if (!is_folder(folder) && known != files_.end()) {
      take(folder, {}, {});
      files_.erase(folder);
    }
    return;
  }
  files_[folder].signature = signature;
  resource::Diagnostics diagnostics =
      options_.admit ? options_.admit(*secret) : resource::Diagnostics();
  Accepted accepted = files_[folder].accepted;
  if (!resource::has_errors(diagnostics)) {
    accepted[secret->key()] = std::make_shared<const resource::Object>(std::move(*secret));
  }
  take(folder, std::move(accepted), diagnostics);
}

void FileSource::take(const std::string& path, Accepted accepted,
                      const resource::Diagnostics& diagnostics) {
  File& file = files_[path];
  resource::Diagnostics all = diagnostics;
  std::set<resource::ObjectKey> changed;
  for (const auto& [key, object] : file.accepted) {
    if (!accepted.contains(key)) {
      claims_[key].erase(path);
      changed.insert(key);
    }
  }
  for (const auto& [key, object] : accepted) {
    std::set<std::string>& claimants = claims_[key];
    claimants.insert(path);
    if (*claimants.begin() != path) {
      if (const auto first = files_.find(*claimants.begin()); first != files_.end()) {
        if (const auto theirs = first->second.accepted.find(key);
            theirs != first->second.accepted.end()) {
          all.push_back(twice(*object, *theirs->second));
        }
      }
    }
    changed.insert(key);
  }
  file.accepted = std::move(accepted);
  options_.report(path, all);
  for (const resource::ObjectKey& key : changed) settle(key);
}

void FileSource::settle(const resource::ObjectKey& key) {
  const auto claimants = claims_.find(key);
  if (claimants == claims_.end()) return;
  Result<void> done;
  if (claimants->second.empty()) {
    claims_.erase(claimants);
    done = store_.remove(key);
  } else {
    done = store_.apply(*files_[*claimants->second.begin()].accepted[key]);
  }
  if (!done)
    log::error("the store refused a change",
               {{"object", to_string(key)}, {"error", to_string(done.error())}});
}

void FileSource::drop_below(const std::string& folder) {
  const std::string prefix = folder + "/";
  std::vector<std::string> gone;
  for (auto at = files_.lower_bound(folder); at != files_.end(); ++at) {
    if (at->first == folder || at->first.starts_with(prefix)) {
      gone.push_back(at->first);
    } else if (at->first.compare(0, folder.size(), folder) > 0) {
      break;
    }
  }
  for (const std::string& path : gone) {
    take(path, {}, {});
    files_.erase(path);
  }
  for (auto at = watch_of_folder_.lower_bound(folder); at != watch_of_folder_.end();) {
    if (at->first != folder && !at->first.starts_with(prefix)) {
      if (at->first.compare(0, folder.size(), folder) > 0) break;
      ++at;
      continue;
    }
    inotify_rm_watch(inotify_fd_, at->second);
    folder_of_watch_.erase(at->second);
    at = watch_of_folder_.erase(at);
  }
}

void FileSource::on_events() {
  alignas(inotify_event) char buffer[1U << 16U];
  for (int round = 0; round < 64; ++round) {  // then the loop's other work has its turn
    const ssize_t got = read(inotify_fd_, buffer, sizeof buffer);
    if (got <= 0) return;
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer + at, sizeof event);
      const std::string name =
          event.len == 0 ? std::string() : std::string(buffer + at + sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        log::warning("changes came faster than they could be read; reading everything again");
        rescan();
      } else {
        on_event(event.wd, event.mask, name);
      }
    }
  }
}

void FileSource::on_event(int watch, std::uint32_t mask, const std::string& name) {
  const auto found = folder_of_watch_.find(watch);
  if (found == folder_of_watch_.end()) return;
  const std::string folder = found->second;
  if ((mask & (IN_IGNORED | IN_DELETE_SELF)) != 0) return;
  if (name.empty()) return;
  const bool whole = std::any_of(
      whole_folders_.begin(), whole_folders_.end(),
      [&](const std::string& each) { return folder == each || folder.starts_with(each + "/"); });
  const std::string path = folder + "/" + name;
  if (name.starts_with("..")) {  // a ConfigMap or Secret mounted by Kubernetes: one link is
                                 // switched for all files
    if (whole) add_folder(folder);
    for (const std::string& single : single_files_) {
      if (folder_of(single) == folder) load(single);
    }
    return;
  }
  if (single_files_.contains(path)) load(path);
  const std::string bare = folder == "." ? name : path;  // as given: "iris.yaml", not "./iris.yaml"
  if (bare != path && single_files_.contains(bare)) load(bare);
  if (!whole || name.starts_with('.')) return;
  if ((mask & IN_ISDIR) != 0) {
    (mask & (IN_CREATE | IN_MOVED_TO)) != 0 ? add_folder(path) : static_cast<void>(0);
    if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) drop_below(path);
    return;
  }
  // A file being made: its IN_CLOSE_WRITE comes. A symbolic or hard link is complete at once and
  // has no such event.
  if ((mask & IN_CREATE) != 0) {
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && !S_ISLNK(status.st_mode) && status.st_nlink < 2)
      return;
  }
  if (name == "tls.crt" || name == "tls.key" || name == "ca.crt") {
    load_secret(folder);
  } else if (is_document_name(name)) {
    load(path);
  } else if (is_folder(path)) {
    add_folder(path);  // a symbolic link to a folder
  }
}

}  // namespace sluice::store
