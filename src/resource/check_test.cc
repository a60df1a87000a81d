#include "resource/check.h"

#include <gtest/gtest.h>

#include <string>

#include "resource/read.h"
#include "resource/schema.h"

namespace sluice::resource {
namespace {

std::vector<std::string> said_of(std::string_view text) {
  const ReadResult result = read(text, std::make_shared<const std::string>("t.yaml"));
  std::vector<std::string> said;
  for (const Diagnostic& diagnostic : result.diagnostics) said.push_back(to_string(diagnostic));
  for (const Object& object : result.objects) {
    for (const Diagnostic& diagnostic : check(object)) said.push_back(to_string(diagnostic));
  }
  for (const Diagnostic& diagnostic : check_set(result.objects))
    said.push_back(to_string(diagnostic));
  return said;
}

const std::string kSeldon =
    "apiVersion: machinelearning.seldon.io/v1\n"  // line 1
    "kind: SeldonDeployment\n"                    // 2
    "metadata:\n"                                 // 3
    "  name: iris\n"                              // 4
    "spec:\n"                                     // 5
    "  predictors:\n"                             // 6
    "  - name: main\n"                            // 7
    "    graph:\n"                                // 8
    "      name: model\n";                        // 9

const std::string kVirtualService =
    "apiVersion: networking.istio.io/v1beta1\n"
    "kind: VirtualService\n"
    "metadata: {name: vs}\n"
    "spec:\n"
    "  http:\n";

struct Bad {
  const char* name;
  std::string text;
  const char* said;  // the only diagnostic; "" when there may be none
};

class Check : public testing::TestWithParam<Bad> {};

TEST_P(Check, SaysWhereAndWhat) {
  const std::vector<std::string> said = said_of(GetParam().text);
  if (*GetParam().said == '\0') {
    EXPECT_TRUE(said.empty()) << said.front();
    return;
  }
  ASSERT_FALSE(said.empty());
  EXPECT_EQ(said.front(), GetParam().said);
  EXPECT_EQ(said.size(), 1U) << said[1];
}

INSTANTIATE_TEST_SUITE_P(
    Fields, Check,
    testing::Values(
        Bad{"minimal", kSeldon, ""},
        Bad{"misspelt", kSeldon + "    trafic: 100\n",
            "t.yaml:10:5: warning: SeldonDeployment default/iris: spec.predictors[0].trafic: there "
            "is no "
            "such field; it is ignored; did you mean \"traffic\"? [unknown-field]"},
        Bad{"letter_case", kSeldon + "      modelURI: file:///m\n",
            "t.yaml:10:7: warning: SeldonDeployment default/iris: "
            "spec.predictors[0].graph.modelURI: "
            "there is no such field; it is ignored; did you mean \"modelUri\"? [unknown-field]"},
        Bad{"too_far_in", kSeldon + "      traffic: 100\n",
            "t.yaml:10:7: warning: SeldonDeployment default/iris: "
            "spec.predictors[0].graph.traffic: there "
            "is no such field; it is ignored; it belongs one level further out, under "
            "spec.predictors[0] [unknown-field]"},
        Bad{"too_far_out", kSeldon + "    modelUri: file:///m\n",
            "t.yaml:10:5: warning: SeldonDeployment default/iris: spec.predictors[0].modelUri: "
            "there is no "
            "such field; it is ignored; it belongs under spec.predictors[0].graph [unknown-field]"},
        Bad{"containers_without_spec", kSeldon + "    componentSpecs:\n    - containers: []\n",
            "t.yaml:11:7: warning: SeldonDeployment default/iris: "
            "spec.predictors[0].componentSpecs[0].containers: there is no such field; it is "
            "ignored; it "
            "belongs under spec.predictors[0].componentSpecs[0].spec [unknown-field]"},
        Bad{"nothing_like_it", kSeldon + "      zzz: 1\n",
            "t.yaml:10:7: warning: SeldonDeployment default/iris: spec.predictors[0].graph.zzz: "
            "there is no "
            "such field; it is ignored [unknown-field]"},
        Bad{"quoted_number", kSeldon + "    replicas: \"2\"\n",
            "t.yaml:10:15: error: SeldonDeployment default/iris: spec.predictors[0].replicas: a "
            "whole "
            "number is expected; this is the text \"2\"; write 2 without quotes [wrong-type]"},
        Bad{"fraction", kSeldon + "    traffic: 12.5\n",
            "t.yaml:10:14: error: SeldonDeployment default/iris: spec.predictors[0].traffic: a "
            "whole "
            "number is expected; this is the number 12.5 [wrong-type]"},
        Bad{"whole_float", kSeldon + "    traffic: 100.0\n", ""},
        Bad{"boolean_as_text",
            kSeldon + "      children:\n      - name: a\n        modelUri: true\n",
            "t.yaml:12:19: error: SeldonDeployment default/iris: "
            "spec.predictors[0].graph.children[0].modelUri: text is expected; this is the boolean "
            "true; "
            "put it in quotes [wrong-type]"},
        Bad{"text_as_boolean", kSeldon + "    shadow: \"true\"\n",
            "t.yaml:10:13: error: SeldonDeployment default/iris: spec.predictors[0].shadow: true "
            "or false "
            "is expected; this is the text \"true\"; write true without quotes [wrong-type]"},
        Bad{"number_as_annotation", kSeldon + "    annotations:\n      a: 3\n",
            "t.yaml:11:10: error: SeldonDeployment default/iris: spec.predictors[0].annotations.a: "
            "text is "
            "expected; this is the number 3; put it in quotes [wrong-type]"},
        Bad{"parameter_value",
            kSeldon + "      parameters:\n      - {name: a, type: FLOAT, value: 0.5}\n",
            "t.yaml:11:39: error: SeldonDeployment default/iris: "
            "spec.predictors[0].graph.parameters[0].value: text is expected; this is the number "
            "0.5; put it "
            "in quotes [wrong-type]"},
        Bad{"map_for_list", kSeldon + "    componentSpecs:\n      spec: {}\n",
            "t.yaml:11:7: error: SeldonDeployment default/iris: spec.predictors[0].componentSpecs: "
            "a list "
            "is expected; this is a map; put \"- \" in front of each item [wrong-type]"},
        Bad{"list_for_map", kSeldon + "    svcOrchSpec:\n    - {}\n",
            "t.yaml:11:5: error: SeldonDeployment default/iris: spec.predictors[0].svcOrchSpec: a "
            "map is "
            "expected; this is a list; remove the \"- \" [wrong-type]"},
        Bad{"out_of_range", kSeldon + "    replicas: 3000000000\n",
            "t.yaml:10:15: error: SeldonDeployment default/iris: spec.predictors[0].replicas: "
            "3000000000 is "
            "not between -2147483648 and 2147483647 [out-of-range]"},
        Bad{"missing_graph",
            "apiVersion: machinelearning.seldon.io/v1alpha2\nkind: SeldonDeployment\nmetadata: "
            "{name: "
            "a}\nspec:\n  predictors:\n  - name: p\n",
            "t.yaml:6:5: error: SeldonDeployment default/a: spec.predictors[0].graph: graph is "
            "missing; a "
            "map is expected [missing-field]"},
        Bad{"empty_graph",
            "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: "
            "a}\nspec:\n  predictors:\n  - name: p\n    graph:\n",
            "t.yaml:7:5: error: SeldonDeployment default/a: spec.predictors[0].graph: graph has no "
            "value; "
            "a map is expected [missing-field]"},
        Bad{"null_value", kSeldon + "    labels:\n",
            "t.yaml:10:5: warning: SeldonDeployment default/iris: spec.predictors[0].labels: "
            "nothing is "
            "written here; it is taken as absent, and API servers may refuse it; write a map, or "
            "remove "
            "the key [null-value]"},
        Bad{"words_are_judged_by_compile", kSeldon + "      type: MODLE\n", ""},
        Bad{"ignored", kSeldon + "  oauth_key: k\n",
            "t.yaml:10:3: warning: SeldonDeployment default/iris: spec.oauth_key: this field has "
            "no effect; "
            "there is no OAuth gateway any more [ignored-field]"},
        Bad{"pod_field",
            kSeldon + "    componentSpecs:\n    - spec:\n        containers:\n        - name: m\n"
                      "          imagePullPolicy: IfNotPresnt\n",
            "t.yaml:14:28: error: SeldonDeployment default/iris: "
            "spec.predictors[0].componentSpecs[0].spec.containers[0].imagePullPolicy: "
            "\"IfNotPresnt\" is "
            "not one of Always, Never, IfNotPresent; did you mean \"IfNotPresent\"? "
            "[unknown-value]"},
        Bad{"env_value",
            kSeldon + "    componentSpecs:\n    - spec:\n        containers:\n        - name: m\n"
                      "          env: [{name: A, value: 1}]\n",
            "t.yaml:14:34: error: SeldonDeployment default/iris: "
            "spec.predictors[0].componentSpecs[0].spec.containers[0].env[0].value: text is "
            "expected; this "
            "is the number 1; put it in quotes [wrong-type]"},
        Bad{"quantity",
            kSeldon +
                "    svcOrchSpec:\n      resources:\n        requests: {cpu: 1, memory: 1GB}\n",
            "t.yaml:12:36: error: SeldonDeployment default/iris: "
            "spec.predictors[0].svcOrchSpec.resources.requests.memory: a quantity such as \"500m\" "
            "or "
            "\"1Gi\" is expected; this is the text \"1GB\" [bad-quantity]"},
        Bad{"quantity_a_fraction",
            kSeldon + "    svcOrchSpec:\n      resources:\n        requests: {cpu: 0.5}\n",
            "t.yaml:12:25: error: SeldonDeployment default/iris: "
            "spec.predictors[0].svcOrchSpec.resources.requests.cpu: a quantity such as \"500m\" or "
            "\"1Gi\" is expected; this is the number 0.5; put it in quotes [bad-quantity]"},
        Bad{"version",
            "apiVersion: machinelearning.seldon.io/v2\nkind: SeldonDeployment\nmetadata: {name: "
            "a}\n"
            "spec: {predictors: []}\n",
            "t.yaml:1:13: error: SeldonDeployment default/a: apiVersion: SeldonDeployment has no "
            "version "
            "\"v2\"; write machinelearning.seldon.io/v1, machinelearning.seldon.io/v1alpha2, "
            "machinelearning.seldon.io/v1alpha3 [unknown-version]"},
        Bad{"no_name", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a-\n",
            "t.yaml:4:3: error: ConfigMap default/: metadata.name: name is missing; generateName "
            "works "
            "with kubectl create only; give it a name [missing-field]"},
        Bad{"name_a_number", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 12\n",
            "t.yaml:4:9: error: ConfigMap default/12: metadata.name: text is expected; this is the "
            "number "
            "12; put it in quotes [wrong-type]"},
        Bad{"bad_name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: My_Map}\n",
            "t.yaml:3:18: error: ConfigMap default/My_Map: metadata.name: \"My_Map\" is no name "
            "that "
            "Kubernetes accepts: capital letters are not allowed [bad-name]"},
        Bad{"service_name", "apiVersion: v1\nkind: Service\nmetadata: {name: 1a}\n",
            "t.yaml:3:18: error: Service default/1a: metadata.name: \"1a\" is no name that "
            "Kubernetes "
            "accepts: it must begin with a letter [bad-name]"},
        Bad{"label_value",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: a b}}\n",
            "t.yaml:3:33: error: ConfigMap default/a: metadata.labels.x: \"a b\" is no label value "
            "that "
            "Kubernetes accepts; letters, digits, \"-\", \"_\", \".\"; up to 63 characters "
            "[bad-label]"},
        Bad{"label_key", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x y: a}}\n",
            "t.yaml:3:30: error: ConfigMap default/a: metadata.labels.x y: \"x y\" is no key that "
            "Kubernetes "
            "accepts; an optional DNS prefix and \"/\", then letters, digits, \"-\", \"_\", \".\"; "
            "up to 63 "
            "characters [bad-key]"},
        Bad{"secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: not base64}\n",
            "t.yaml:4:11: error: Secret default/a: data.k: base64 text is expected; this is the "
            "text \"not "
            "base64\"; plain text goes into stringData [bad-base64]"},
        Bad{"istio_fine",
            kVirtualService + "  - route: [{destination: {host: a}}]\n    timeout: 1.5s\n", ""},
        Bad{"duration_without_unit", kVirtualService + "  - timeout: \"10\"\n",
            "t.yaml:6:14: error: VirtualService default/vs: spec.http[0].timeout: a duration such "
            "as "
            "\"1.5s\" is expected; this is the text \"10\"; say the unit: \"10s\" [bad-duration]"},
        Bad{"duration_a_number", kVirtualService + "  - timeout: 10\n",
            "t.yaml:6:14: error: VirtualService default/vs: spec.http[0].timeout: a duration such "
            "as "
            "\"1.5s\" is expected; this is the number 10; say the unit: \"10s\" [wrong-type]"},
        Bad{"text_for_list", kVirtualService + "  - {}\n  hosts: \"*\"\n",
            "t.yaml:7:10: error: VirtualService default/vs: spec.hosts: a list is expected; this "
            "is the text "
            "\"*\"; write [\"*\"] [wrong-type]"},
        Bad{"number_for_port",
            kVirtualService + "  - route: [{destination: {host: a, port: 80}}]\n",
            "t.yaml:6:43: error: VirtualService default/vs: "
            "spec.http[0].route[0].destination.port: a map is "
            "expected; this is the number 80; write {number: 80} [wrong-type]"},
        Bad{"selector_as_text",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: app=x}\n",
            "t.yaml:4:18: error: Service default/a: spec.selector: a map is expected; this is the "
            "text "
            "\"app=x\"; write app: x [wrong-type]"},
        Bad{"two_matches", kVirtualService + "  - match: [{uri: {exact: /a, prefix: /b}}]\n",
            "t.yaml:6:31: error: VirtualService default/vs: spec.http[0].match[0].uri.prefix: "
            "exact and "
            "prefix can't stand together; keep one of the two; exact is at line 6 "
            "[exclusive-fields]"},
        Bad{"port_by_name_or_number",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, "
            "targetPort: "
            "http}, {port: 81, targetPort: 8080, protocol: TCP}]}\n",
            ""},
        Bad{"status_is_not_ours", kSeldon + "status: {anything: [1]}\n", ""},
        Bad{"unknown_kind",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {x: 1}\n---\n"
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: b}\n",
            "t.yaml:2:7: warning: Job default/a: kind: objects of kind Job (batch/v1) are skipped "
            "[unknown-kind]"},
        Bad{"misspelt_kind",
            "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeploymet\nmetadata: {name: "
            "a}\n",
            "t.yaml:2:7: error: SeldonDeploymet default/a: kind: objects of kind SeldonDeploymet "
            "(machinelearning.seldon.io/v1) are skipped; did you mean \"SeldonDeployment\"? "
            "[unknown-kind]"},
        Bad{"no_group", "apiVersion: v1\nkind: VirtualService\nmetadata: {name: a}\n",
            "t.yaml:2:7: error: VirtualService default/a: kind: objects of kind VirtualService "
            "(v1) are "
            "skipped; did you mean apiVersion: networking.istio.io/v1? [unknown-kind]"},
        Bad{"misspelt_group",
            "apiVersion: networking.istio.oi/v1\nkind: gateway\nmetadata: {name: a}\n",
            "t.yaml:2:7: error: gateway default/a: kind: objects of kind gateway "
            "(networking.istio.oi/v1) "
            "are skipped; did you mean apiVersion: networking.istio.io/v1? [unknown-kind]"},
        Bad{"somebody_elses",
            "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
            "t.yaml:2:7: warning: Service default/a: kind: objects of kind Service "
            "(serving.knative.dev/v1) are skipped [unknown-kind]"},
        Bad{"misspelt_in_its_group", "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n",
            "t.yaml:2:7: warning: Deploymnet default/a: kind: objects of kind Deploymnet (apps/v1) "
            "are "
            "skipped; did you mean \"Deployment\"? [unknown-kind]"},
        Bad{"same_object_twice", kSeldon + "---\n" + kSeldon + "  replicas: 2\n",
            "t.yaml:11:1: error: SeldonDeployment default/iris: this object is here for the second "
            "time, "
            "and differs; the first is at t.yaml:1; keep one of the two, or give one another name "
            "[duplicate-object]"},
        Bad{"same_object_word_for_word", kSeldon + "---\n" + kSeldon,
            "t.yaml:11:1: warning: SeldonDeployment default/iris: this object is here for the "
            "second time; "
            "the first is at t.yaml:1 [duplicate-object]"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Check, a_prefix_that_is_nearly_seldons) {
  const std::vector<std::string> said = said_of(
      kSeldon + "  annotations:\n    seldon.oi/istio-host: a\n    seldon.io/x: a\n    a.io/x: a\n");
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0],
            "t.yaml:11:5: warning: SeldonDeployment default/iris: "
            "spec.annotations.seldon.oi/istio-host: nothing reads annotations of seldon.oi/; did "
            "you mean "
            "\"seldon.io/istio-host\"? [annotation-unknown]");
}

TEST(Diagnostics, told_twice_become_one_and_the_worse_severity_stays) {
  Diagnostic warning;
  warning.severity = Severity::kWarning;
  warning.code = "unknown-field";
  warning.file = "f";
  warning.place = Place{3, 4};
  warning.what = "first";
  Diagnostic error = warning;
  error.severity = Severity::kError;
  error.what = "second";
  Diagnostic elsewhere = warning;
  elsewhere.place.column = 5;
  Diagnostics all = {warning, elsewhere, error};
  deduplicate(all);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].what, "first");
  EXPECT_EQ(all[0].severity, Severity::kError);
  EXPECT_EQ(all[1].severity, Severity::kWarning);
}

TEST(Check, a_boolean_word_is_warned_of_and_refused_where_text_belongs) {
  const std::vector<std::string> said =
      said_of(kVirtualService + "  - headers: {request: {set: {x-on: on}}}\n");
  ASSERT_EQ(said.size(), 2U);
  EXPECT_NE(said[0].find("t.yaml:6:37: warning:"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("t.yaml:6:37: error:"), std::string::npos) << said[1];
}

TEST(Names, faults) {
  EXPECT_EQ(fault_of_subdomain("a.b-c.d1"), "");
  EXPECT_EQ(fault_of_label("1a"), "");
  EXPECT_NE(fault_of_label("a.b"), "");
  EXPECT_NE(fault_of_subdomain("a..b"), "");
  EXPECT_NE(fault_of_subdomain("a_b"), "");
  EXPECT_NE(fault_of_subdomain("-a"), "");
  EXPECT_NE(fault_of_label(std::string(64, 'a')), "");
  EXPECT_NE(fault_of_label_1035("1a"), "");
}

TEST(Names, quantities) {
  for (const char* good : {"1", "0.5", "500m", "1Gi", "1e3", "1E", "12E-2", ".5", "+1k", "-1"}) {
    EXPECT_TRUE(is_quantity(good)) << good;
  }
  for (const char* bad : {"", "GB", "1GB", "1K i", "1Mib", "a", "1e", "--1", "1.2.3"}) {
    EXPECT_FALSE(is_quantity(bad)) << bad;
  }
}

// Walks every table once: each field has a schema, no name stands twice, lists and maps say of
// what.
void walk(const Schema& schema, std::vector<const Schema*>& seen) {
  for (const Schema* known : seen) {
    if (known == &schema) return;
  }
  seen.push_back(&schema);
  if (schema.type == Type::kList || schema.type == Type::kMap) {
    ASSERT_NE(schema.element, nullptr);
    walk(*schema.element, seen);
  }
  for (const FieldSpec& field : schema.fields) {
    ASSERT_NE(field.schema, nullptr) << field.name;
    EXPECT_EQ(schema.find(field.name), &field) << field.name << " stands twice";
    walk(*field.schema, seen);
  }
  for (const auto group : schema.one_of) {
    for (const std::string_view name : group) EXPECT_NE(schema.find(name), nullptr) << name;
  }
}

TEST(Schemas, are_sound) {
  std::vector<const Schema*> seen;
  for (const KindSpec& kind : kinds()) {
    EXPECT_EQ(find_kind(kind.group, kind.kind), &kind);
    EXPECT_FALSE(kind.versions.empty());
    walk(*kind.root, seen);
  }
  EXPECT_GT(seen.size(), 250U);  // the whole PodSpec is there
}

}  // namespace
}  // namespace sluice::resource
