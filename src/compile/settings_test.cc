// Settings from the environment and from the ConfigMap `seldon-config`.
#include "compile/settings.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice::compile {
namespace {

Lookup texts(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

const Lookup kNothing = texts({});

TEST(Settings, take_servers_of_the_config_map_in_place_of_all_others) {
  const auto made = settings_from(
      kNothing, Profile::kDefault, nullptr,
      texts({{"predictor_servers",
              R"({"MINE": {"protocols": {"v2": {"image": "a/b", "defaultImageVersion": "1"},
                                         "seldon": {"image": "a/c:2"}}}})"}}));
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(server_image(*made, "MINE", "v2"), "a/b:1");
  EXPECT_EQ(server_image(*made, "MINE", ""), "a/c:2");
  EXPECT_EQ(server_image(*made, "SKLEARN_SERVER", "seldon"), "");
}

TEST(Settings, keep_what_the_config_map_does_not_say) {
  const auto made =
      settings_from(kNothing, Profile::kDefault, nullptr,
                    texts({{"storageInitializer", R"({"image": "fetch:1", "cpuLimit": "2"})"},
                           {"explainer", R"({"image_v2": "explain:2"})"},
                           {"predictor_servers", " \n"}}));
  ASSERT_TRUE(made) << to_string(made.error());
  const Settings defaults = default_settings();
  EXPECT_EQ(made->storage_initializer_image, "fetch:1");
  EXPECT_EQ(made->storage_initializer_cpu_limit, "2");
  EXPECT_EQ(made->storage_initializer_memory_limit, defaults.storage_initializer_memory_limit);
  EXPECT_EQ(made->explainer_image, defaults.explainer_image);
  EXPECT_EQ(made->explainer_image_v2, "explain:2");
  EXPECT_EQ(made->servers.size(), defaults.servers.size());
}

TEST(Settings, related_images_win_over_the_config_map) {
  const auto made = settings_from(
      texts({{"RELATED_IMAGE_STORAGE_INITIALIZER", "mirror/fetch@sha256:1"}}), Profile::kDefault,
      nullptr, texts({{"storageInitializer", R"({"image": "fetch:1"})"}}));
  ASSERT_TRUE(made) << to_string(made.error());
  EXPECT_EQ(made->storage_initializer_image, "mirror/fetch@sha256:1");
}

struct Broken {
  const char* name;
  const char* key;
  const char* text;
  const char* said;
};
class BrokenConfig : public testing::TestWithParam<Broken> {};

TEST_P(BrokenConfig, IsAnErrorThatNamesTheKey) {
  const Broken& c = GetParam();
  for (const Profile profile : {Profile::kDefault, Profile::kCompat}) {
    const auto made = settings_from(kNothing, profile, nullptr, texts({{c.key, c.text}}));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().blame, Blame::kConfig);
    const std::string said = to_string(made.error());
    EXPECT_NE(said.find(c.key), std::string::npos) << said;
    EXPECT_NE(said.find(c.said), std::string::npos) << said;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, BrokenConfig,
    testing::Values(
        Broken{"no_json", "predictor_servers", "{\"A\": ", "line 1"},
        Broken{"a_list", "predictor_servers", "[]", "one JSON object"},
        Broken{"a_control_character", "explainer", "{\"image\": \"\x01\"}", "line 1"},
        Broken{"twice", "explainer", "{\"image\": \"a\", \"image\": \"b\"}", "line 1"},
        Broken{"old_form", "predictor_servers", R"({"A": {"rest": {"image": "x"}}})",
               "A has no map protocols"},
        Broken{"no_image", "predictor_servers",
               R"({"A": {"protocols": {"v2": {"defaultImageVersion": "1"}}}})",
               "A has no image for protocol v2"},
        Broken{"version_a_number", "predictor_servers",
               R"({"A": {"protocols": {"v2": {"image": "x", "defaultImageVersion": 1.5}}}})",
               "defaultImageVersion is no text"},
        Broken{"no_quantity", "storageInitializer", R"({"cpuLimit": "much"})",
               "cpuLimit is no quantity: \"much\""}),
    [](const auto& tested) { return tested.param.name; });

TEST(Settings, environment_is_read) {
  std::vector<std::string> warnings;
  const auto made = settings_from(texts({{"ISTIO_GATEWAY", "a/b"},
                                         {"ISTIO_TLS_MODE", "STRICT"},
                                         {"EXECUTOR_SERVER_PORT", "8100"}}),
                                  Profile::kDefault, &warnings);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->istio_gateway, "a/b");
  EXPECT_EQ(made->istio_tls_mode, "ISTIO_MUTUAL");
  EXPECT_EQ(made->service_http_port, 8100) << "one value moves listener and Service";
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_FALSE(settings_from(texts({{"ISTIO_ENABLED", "maybe"}}), Profile::kDefault));
}

}  // namespace
}  // namespace sluice::compile
