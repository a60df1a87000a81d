#include "store/file_source.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "store/memory_store.h"

namespace sluice::store {
namespace {

std::string service(const std::string& name, int port) {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: models}\nspec:\n  ports: [{port: " + std::to_string(port) + "}]\n";
}

// A folder of its own for each test, a store fed from it, and the loop turned until nothing more
// happens.
class FileSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/sluice-files-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    source_.reset();
    const std::string command = "rm -rf " + folder_;
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  void write(const std::string& name, const std::string& text) {
    const std::string hidden = folder_ + "/.new";
    std::ofstream(hidden) << text;
    ASSERT_EQ(rename(hidden.c_str(), (folder_ + "/" + name).c_str()), 0);
  }
  void start(std::vector<std::string> paths = {}) {
    FileSource::Options options;
    options.paths = paths.empty() ? std::vector<std::string>{folder_} : paths;
    options.admit = [](const resource::Object& object) {
      resource::Diagnostics diagnostics;
      if (object.spec().at("ports").at(std::size_t{0}).at("port").integer() < 0) {
        diagnostics.push_back(resource::about(object, object.root, "spec",
                                              resource::Severity::kError, "bad", "bad port"));
      }
      return diagnostics;
    };
    options.report = [this](const std::string&, const resource::Diagnostics& diagnostics) {
      said_ = diagnostics;
    };
    source_ = std::make_unique<FileSource>(loop_, store_, options);
    ASSERT_TRUE(source_->start());
  }
  void turn() {
    for (int i = 0; i < 5; ++i) loop_.run_once(10);
  }
  std::int64_t port_of(const std::string& name) {
    const auto found = store_.find({"", "Service", "models", name});
    return found == nullptr ? 0 : found->spec().at("ports").at(std::size_t{0}).at("port").integer();
  }

  std::string folder_;
  net::Loop loop_;
  MemoryStore store_;
  std::unique_ptr<FileSource> source_;
  resource::Diagnostics said_;
};

TEST_F(FileSourceTest, WhatIsRenamedIntoPlaceIsInTheStore) {
  write("a.yaml", service("a", 1));
  start();
  EXPECT_EQ(port_of("a"), 1);
  write("a.yaml", service("a", 2));
  write("b.yaml", service("b", 3));
  turn();
  EXPECT_EQ(port_of("a"), 2);
  EXPECT_EQ(port_of("b"), 3);
}

TEST_F(FileSourceTest, WhatLeavesAFileLeavesTheStore) {
  write("a.yaml", service("a", 1) + "---\n" + service("b", 2));
  start();
  EXPECT_EQ(port_of("b"), 2);
  write("a.yaml", service("a", 1));
  turn();
  EXPECT_EQ(port_of("b"), 0);
  ASSERT_EQ(unlink((folder_ + "/a.yaml").c_str()), 0);
  turn();
  EXPECT_EQ(port_of("a"), 0);
}

TEST_F(FileSourceTest, AnUnreadableFileKeepsItsLastGoodState) {
  write("a.yaml", service("a", 1));
  start();
  write("a.yaml", "kind: [unclosed\n");
  turn();
  EXPECT_EQ(port_of("a"), 1);
  EXPECT_TRUE(resource::has_errors(said_));
  write("a.yaml", service("a", 2));
  turn();
  EXPECT_EQ(port_of("a"), 2);
  EXPECT_TRUE(said_.empty());
}

TEST_F(FileSourceTest, ARefusedObjectKeepsItsLastGoodStateAndTheOthersGoOn) {
  write("a.yaml", service("a", 1) + "---\n" + service("b", 1));
  start();
  write("a.yaml", service("a", -5) + "---\n" + service("b", 2));
  turn();
  EXPECT_EQ(port_of("a"), 1);
  EXPECT_EQ(port_of("b"), 2);
  EXPECT_TRUE(resource::has_errors(said_));
}

TEST_F(FileSourceTest, TwoFilesGivingOneObjectTheFirstHoldsUntilItGoes) {
  write("a.yaml", service("x", 1));
  write("b.yaml", service("x", 2));
  start();
  EXPECT_EQ(port_of("x"), 1);
  ASSERT_FALSE(said_.empty());
  EXPECT_EQ(said_.back().code, "duplicate-object");
  ASSERT_EQ(unlink((folder_ + "/a.yaml").c_str()), 0);
  turn();
  EXPECT_EQ(port_of("x"), 2);
}

TEST_F(FileSourceTest, NewFoldersAreWatchedAndGoneOnesForgotten) {
  start();
  ASSERT_EQ(mkdir((folder_ + "/team").c_str(), 0700), 0);
  turn();
  write("team/a.yaml", service("a", 1));
  turn();
  EXPECT_EQ(port_of("a"), 1);
  ASSERT_EQ(rename((folder_ + "/team").c_str(), (folder_ + "/.away").c_str()), 0);
  turn();
  EXPECT_EQ(port_of("a"), 0);
}

TEST_F(FileSourceTest, AMountedConfigMapSwitchesAllItsFilesAtOnce) {
  ASSERT_EQ(mkdir((folder_ + "/..1").c_str(), 0700), 0);
  ASSERT_EQ(mkdir((folder_ + "/..2").c_str(), 0700), 0);
  std::ofstream(folder_ + "/..1/a.yaml") << service("a", 1);
  std::ofstream(folder_ + "/..2/a.yaml") << service("a", 2);
  ASSERT_EQ(symlink("..1", (folder_ + "/..data").c_str()), 0);
  ASSERT_EQ(symlink("..data/a.yaml", (folder_ + "/a.yaml").c_str()), 0);
  start();
  EXPECT_EQ(port_of("a"), 1);
  ASSERT_EQ(symlink("..2", (folder_ + "/..data_tmp").c_str()), 0);
  ASSERT_EQ(rename((folder_ + "/..data_tmp").c_str(), (folder_ + "/..data").c_str()), 0);
  turn();
  EXPECT_EQ(port_of("a"), 2);
}

TEST_F(FileSourceTest, ASingleFileIsWatchedWithoutItsNeighbours) {
  write("a.yaml", service("a", 1));
  write("b.yaml", service("b", 1));
  start({folder_ + "/a.yaml"});
  write("a.yaml", service("a", 2));
  write("b.yaml", service("b", 2));
  turn();
  EXPECT_EQ(port_of("a"), 2);
  EXPECT_EQ(port_of("b"), 0);
}

TEST_F(FileSourceTest, AFolderWithAKeyPairIsASecret) {
  ASSERT_EQ(mkdir((folder_ + "/my-cert").c_str(), 0700), 0);
  write("my-cert/tls.crt", "C1");
  start();
  const resource::ObjectKey key{"", "Secret", "istio-system", "my-cert"};
  EXPECT_EQ(store_.find(key), nullptr);
  write("my-cert/tls.key", "K1");
  turn();
  ASSERT_NE(store_.find(key), nullptr);
  EXPECT_EQ(store_.find(key)->root.at("data").at("tls.crt").text(), "QzE=");
  write("my-cert/tls.crt", "C2");
  turn();
  EXPECT_EQ(store_.find(key)->root.at("data").at("tls.crt").text(), "QzI=");
}

TEST_F(FileSourceTest, JsonThatIsNoDocumentIsLeftAlone) {
  write("model.json", "{\"learner\": {\"version\": [1, 7, 4]}}");
  write("a.json",
        "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\", "
        "\"namespace\": \"models\"},"
        " \"spec\": {\"ports\": [{\"port\": 7}]}}");
  start();
  EXPECT_EQ(port_of("a"), 7);
  EXPECT_TRUE(said_.empty());
  write("model.json", "{\"learner\": {}}");
  turn();
  EXPECT_TRUE(said_.empty());
}

TEST_F(FileSourceTest, APathThatIsNotThereIsAnError) {
  FileSource::Options options;
  options.paths = {folder_ + "/nothing.yaml"};
  FileSource source(loop_, store_, options);
  EXPECT_FALSE(source.start());
}

}  // namespace
}  // namespace sluice::store
