// Files and folders as the source of a store: read at start, then watched (inotify). What is
// renamed into place or written and closed is in the store before the loop's round ends.
//
// The last good state keeps serving: a document that can't be read, or an object that is not
// admitted, leaves in the store what this file last gave under that name. An object that two files
// give is taken from the first by name.
//
// Thread: the control thread only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "net/loop.h"
#include "resource/object.h"
#include "store/store.h"

namespace sluice::store {

class FileSource {
 public:
  struct Options {
    std::vector<std::string>
        paths;  // files, folders (watched with their sub-folders), "-" (read once)
    std::string secret_namespace = "istio-system";  // of folders with tls.crt and tls.key
    // Errors refuse the object; warnings are passed on to `report`.
    std::function<resource::Diagnostics(const resource::Object&)> admit;
    // After each reading of a file: all there is to say about it now (empty: all is well).
    std::function<void(const std::string& file, const resource::Diagnostics&)> report;
  };

  FileSource(net::Loop& loop, Store& store, Options options);
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  // Reads everything and begins to watch. Fails when a path is not there; bad documents are
  // reported, not failures.
  Result<void> start();
  // Reads again whatever differs in size or time: for file systems without inotify (SIGHUP).
  void rescan();

 private:
  using Accepted = std::map<resource::ObjectKey, ObjectPointer>;
  struct File {
    std::string signature;  // device, inode, size and time: equal means unchanged
    Accepted accepted;      // the last good state of each object
  };

  Result<void> add_path(const std::string& path);
  void add_folder(const std::string& folder);
  void load(const std::string& path);  // a document; gone: its objects go
  void load_secret(const std::string& folder);
  void take(const std::string& path, Accepted accepted, const resource::Diagnostics& diagnostics);
  void settle(const resource::ObjectKey& key);  // puts into the store what the first file says
  void drop_below(const std::string& folder);
  void on_events();
  void on_event(int watch, std::uint32_t mask, const std::string& name);

  net::Loop& loop_;
  Store& store_;
  const Options options_;
  net::Watch watch_;
  int inotify_fd_ = -1;
  std::map<int, std::string> folder_of_watch_;
  std::map<std::string, int> watch_of_folder_;
  std::set<std::string> single_files_;  // given by name: others of their folder are not read
  std::set<std::string> whole_folders_;
  std::map<std::string, File> files_;  // by path; a secret's folder counts as a file
  std::map<resource::ObjectKey, std::set<std::string>> claims_;  // which files give an object
};

}  // namespace sluice::store
