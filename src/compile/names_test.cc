#include "compile/names.h"

#include <gtest/gtest.h>

namespace sluice::compile {
namespace {

// Recorded from the reference (Seldon Core 1.18.2).
const std::string kLong = "seldon-model-1234567890-1234567890-1234567890-1234567890-1234567890";
const std::string kPredictor = "example-1234567890";

resource::Predictor predictor_named(const std::string& name) {
  resource::Predictor predictor;
  predictor.name = name;
  return predictor;
}

resource::ComponentSpec with_containers(std::initializer_list<const char*> names) {
  resource::ComponentSpec component;
  resource::List containers;
  for (const char* name : names) containers.emplace_back(resource::Map{{"name", name}});
  component.pod.as_map()->set("containers", std::move(containers));
  return component;
}

TEST(Names, md5_of_known_texts) {  // RFC 1321, A.5
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Names, seldon_id_is_hashed_beyond_63_bytes) {
  EXPECT_EQ(seldon_id(std::string(63, 'a')), std::string(63, 'a'));
  EXPECT_EQ(seldon_id(std::string(64, 'a')), "seldon-014842d480b571495a4a0363793f7367");
  EXPECT_EQ(seldon_id(kLong), "seldon-83a2ff7bfcb4fd45246a1b2c4ef40961");
}

TEST(Names, long_children_are_hashed) {
  const Settings settings = default_settings(Profile::kCompat);
  EXPECT_EQ(predictor_service_name(kLong, predictor_named(kPredictor)),
            "seldon-ad3ea43bd20df9453b547f2d2bddeb48");
  EXPECT_EQ(
      component_deployment_name(kLong, kPredictor, 0, with_containers({"classifier"}), settings),
      "seldon-e17a11ac48fe01bb491e36ac571d56a0");
  EXPECT_EQ(container_service_name(kLong, kPredictor, "classifier"),
            "seldon-eda9161f817f4af24c13a9f29fb8175a");
  EXPECT_EQ(engine_deployment_name(kLong, kPredictor), "seldon-83a1f24ace16ceca49823d343dbb42f4");
  EXPECT_EQ(explainer_name(kLong, kPredictor), "seldon-95631425ddef77470f5e490d18ef6caf");
}

TEST(Names, deployments) {
  Settings settings = default_settings();
  EXPECT_EQ(
      component_deployment_name("iris", "default", 0, with_containers({"classifier"}), settings),
      "iris-default-0-classifier");
  EXPECT_EQ(component_deployment_name("iris", "default", 0, with_containers({"a", "b"}), settings),
            "iris-default-0-a-b");
  resource::ComponentSpec named = with_containers({"a"});
  named.name = "blue";
  EXPECT_EQ(component_deployment_name("iris", "default", 0, named, settings),
            "iris-default-0-blue");
}

TEST(Names, deployment_name_as_prefix_when_it_fits) {
  Settings settings = default_settings();
  const auto two = with_containers({"income-classifier-model", "postprocessor"});
  EXPECT_EQ(component_deployment_name("income-classifier", "default", 0, two, settings),
            "seldon-53a3dacd844a27dbb65a1838c065c001");
  settings.deployment_name_as_prefix = true;
  EXPECT_EQ(component_deployment_name("income-classifier", "default", 0, two, settings),
            "income-classifier-53a3dacd844a27dbb65a1838c065c001");
  EXPECT_EQ(component_deployment_name("income-classifier-with-a-long-name", "default", 0,
                                      with_containers({"income-classifier-model"}), settings),
            "seldon-2daa11547c3682df4f10991d2af11f37");
}

TEST(Names, own_service_name_is_taken_as_it_is) {
  resource::Predictor predictor = predictor_named("p");
  predictor.annotations["seldon.io/svc-name"] = std::string(70, 'x');
  EXPECT_EQ(predictor_service_name("iris", predictor), std::string(70, 'x'));
}

TEST(Names, cut_loses_one_trailing_dash) {
  EXPECT_EQ(cut_name(std::string(62, 'a') + "-bc"), std::string(62, 'a'));
  EXPECT_EQ(cut_name(std::string(61, 'a') + "--bc"), std::string(61, 'a') + "-");
  EXPECT_EQ(cut_name("short-"), "short-");
}

TEST(Names, dns_labels_and_label_values) {
  EXPECT_TRUE(is_dns_label("a-1"));
  for (const char* bad : {"", "A", "a_b", "-a", "a-", "a.b"})
    EXPECT_FALSE(is_dns_label(bad)) << bad;
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
  EXPECT_TRUE(is_label_value("V1.2_x"));
  EXPECT_TRUE(is_label_value(""));
  EXPECT_FALSE(is_label_value("v1."));
}

}  // namespace
}  // namespace sluice::compile
